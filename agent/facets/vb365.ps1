# Speaks for a server of Veeam Backup for Microsoft 365: reads one request as JSON from standard input, writes one answer as JSON
# to standard output. Contract: vb365.schema.json. Written from the vendor's cmdlet reference; it has not met a live server yet.

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$utf8 = New-Object System.Text.UTF8Encoding $false
[Console]::InputEncoding = $utf8
[Console]::OutputEncoding = $utf8

function Text($value) { if ($null -eq $value) { '' } else { [string]$value } }
function Key($value) { if ($null -eq $value) { $null } else { ([string]$value).ToLowerInvariant() } }

function Member($object, [string]$name, $otherwise) {
    if ($null -ne $object -and $object.PSObject.Properties.Match($name).Count -gt 0 -and $null -ne $object.$name) {
        return $object.$name
    }
    return $otherwise
}

function Instant($value) {
    if ($value -isnot [DateTime] -or $value.Year -lt 1971 -or $value.Year -gt 9998) { return $null }
    return $value.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
}

function ListOf($items) {
    $list = New-Object System.Collections.ArrayList
    foreach ($item in $items) { [void]$list.Add($item) }
    return , $list
}

function Collect-License {
    $license = Get-VBOLicense
    if ($null -eq $license) { return $null }
    return @{
        type = Text $license.Type
        status = Text $license.Status
        company = Text $license.LicensedTo
        email = Text (Member $license 'Email' '')
        licenseIds = ListOf @(Key (Member $license 'LicenseId' $null) | Where-Object { $null -ne $_ })
        supportIds = ListOf @(Text $license.SupportId | Where-Object { $_ -ne '' })
        expiresAt = Instant $license.ExpirationDate
        cloudConnect = 'No'
        unitType = 'Instances'
        units = [double]$license.TotalNumber
        usedUnits = [double]$license.UsedNumber
        newUnits = [double](Member $license 'NewNumber' 0)
    }
}

# What a repository holds of one kind. The same object in two repositories is two objects, as each has restore points of its own.
function Collect-Objects($repository, [string]$kind, [string]$word, $licensed, $points) {
    foreach ($one in @(Get-VBOEntityData -Repository $repository -Type $kind)) {
        $id = Key (Member $one 'Id' (Member $one 'OfficeId' $one.DisplayName))
        $organization = Member $one 'Organization' $null
        $organizationKey = Key (Member $organization 'Id' $null)
        $own = @($points | Where-Object { $null -eq $organizationKey -or (Key $_.OrganizationId) -eq $organizationKey })
        $newest = $own | Sort-Object -Property BackupTime | Select-Object -Last 1
        @{
            key = "$(Key $repository.Id)/$word/$id"
            id = $id
            name = Text (Member $one 'DisplayName' $id)
            kind = $word
            organizationKey = $organizationKey
            repositoryKey = Key $repository.Id
            restorePoints = $own.Count
            archiveRestorePoints = @($own | Where-Object { $_.IsLongTermCopy }).Count
            newestRestorePoint = $(if ($null -ne $newest) { Instant $newest.BackupTime } else { $null })
            licensed = $word -eq 'User' -and $licensed.ContainsKey((Text (Member $one 'DisplayName' '')))
            educational = $false
        }
    }
}

function Collect {
    $organizations = @(Get-VBOOrganization)
    $repositories = @(Get-VBORepository)
    $licensed = @{}
    foreach ($user in @(Get-VBOLicensedUser)) { $licensed[(Text $user.UserName)] = $true }
    $objects = foreach ($repository in $repositories) {
        $points = @(Get-VBORestorePoint -Repository $repository)
        foreach ($pair in @(@('User', 'User'), @('Group', 'Group'), @('Site', 'Site'), @('Team', 'Teams'))) {
            Collect-Objects $repository $pair[0] $pair[1] $licensed $points
        }
    }
    $jobs = foreach ($job in @(Get-VBOJob)) {
        @{
            key = Key $job.Id
            name = Text $job.Name
            description = Text $job.Description
            status = $(switch (Text $job.LastStatus) { 'Stopped' { 'Idle' } 'NotConfigured' { 'None' } default { $_ } })
            enabled = [bool]$job.IsEnabled
            repositoryKey = Key $job.Repository.Id
            lastRun = Instant $job.LastRun
        }
    }
    $answer = @{
        version = 1
        facet = 'vb365'
        server = @{ key = "vb365/$([Environment]::MachineName.ToLowerInvariant())"; name = [Environment]::MachineName; version = Text (Get-VBOVersion).ProductVersion }
        organizations = ListOf @($organizations | ForEach-Object { @{ key = Key $_.Id; name = Text $_.Name } })
        repositories = ListOf @($repositories | ForEach-Object { @{ key = Key $_.Id; name = Text $_.Name } })
        objects = ListOf @($objects)
        jobs = ListOf @($jobs)
    }
    $license = Collect-License
    if ($null -ne $license) { $answer.license = $license }
    return $answer
}

$request = ConvertFrom-Json -InputObject ([Console]::In.ReadToEnd())
if ($request.version -ne 1) { throw "this script speaks version 1 of the contract, not $($request.version)" }
if ($request.action -ne 'collect') { throw "this script only collects" }
Import-Module Veeam.Archiver.PowerShell -DisableNameChecking
[Console]::Out.Write((ConvertTo-Json -InputObject (Collect) -Depth 8 -Compress))
