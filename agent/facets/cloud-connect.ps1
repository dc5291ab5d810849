# Speaks for a Veeam Cloud Connect server: reads one request as JSON from standard input, writes one answer as JSON to standard
# output. Contract: cloud-connect.schema.json (answers to "collect") and execute.schema.json (answers to commands).
#
# Nothing of a request becomes code, a path or an argument of a program: values go to cmdlets as values, by splatting.
# Written from the vendor's cmdlet reference; it has not met a live server yet.

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$utf8 = New-Object System.Text.UTF8Encoding $false
[Console]::InputEncoding = $utf8
[Console]::OutputEncoding = $utf8

$MB = 1048576
$GB = 1073741824

function Text($value) { if ($null -eq $value) { '' } else { [string]$value } }
function Key($value) { if ($null -eq $value) { $null } else { ([string]$value).ToLowerInvariant() } }

# A member that not every version of the cmdlets has.
function Member($object, [string]$name, $otherwise) {
    if ($null -ne $object -and $object.PSObject.Properties.Match($name).Count -gt 0 -and $null -ne $object.$name) {
        return $object.$name
    }
    return $otherwise
}

function Instant($value) {
    if ($null -eq $value -or (Text $value) -eq '') { return $null }
    $at = [DateTime]::MinValue
    if ($value -is [DateTime]) { $at = $value }
    elseif (-not [DateTime]::TryParse([string]$value, [ref]$at)) { return $null }
    if ($at.Year -lt 1971 -or $at.Year -gt 9998) { return $null }
    return $at.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
}

# ConvertTo-Json of Windows PowerShell writes a list of one as that one; an ArrayList keeps it a list.
function ListOf($items) {
    $list = New-Object System.Collections.ArrayList
    foreach ($item in $items) { [void]$list.Add($item) }
    return , $list
}

function Write-Answer($answer) {
    [Console]::Out.Write((ConvertTo-Json -InputObject $answer -Depth 10 -Compress))
}

function Collect-License {
    $license = Get-VBRInstalledLicense
    if ($null -eq $license) { return $null }
    $summary = Member $license 'InstanceLicenseSummary' $null
    $mode = Text (Member $license 'CloudConnect' 'Disabled')
    $answer = @{
        type = Text $license.Type
        status = Text $license.Status
        edition = Text $license.Edition
        company = Text $license.LicensedTo
        supportIds = ListOf @(Text $license.SupportId | Where-Object { $_ -ne '' })
        expiresAt = Instant $license.ExpirationDate
        supportExpiresAt = Instant $license.SupportExpirationDate
        autoUpdate = [bool](Member $license 'AutoUpdateEnabled' $false)
        cloudConnect = $(switch ($mode) { 'Enterprise' { 'Enterprise' } 'Enabled' { 'Yes' } default { 'No' } })
        unitType = 'Instances'
    }
    if ($null -ne $summary) {
        $answer.units = [double]$summary.LicensedInstancesNumber
        $answer.usedUnits = [double]$summary.UsedInstancesNumber
        $answer.newUnits = [double]$summary.NewInstancesNumber
        $answer.rentalUnits = [double]$summary.RentalInstancesNumber
    }
    return $answer
}

function Collect-Gateways($pools) {
    foreach ($gateway in @(Get-VBRCloudGateway)) {
        $pool = $pools | Where-Object { @($_.CloudGateways | ForEach-Object { Key $_.Id }) -contains (Key $gateway.Id) } |
            Select-Object -First 1
        $server = Member $gateway 'Host' $null
        @{
            key = Key $gateway.Id
            poolKey = $(if ($null -ne $pool) { Key $pool.Id } else { $null })
            name = Text $gateway.Name
            hostKey = Key (Member $server 'Id' $gateway.Id)
            port = [int]$gateway.IncomingPort
            externalPort = [int](Member $gateway 'NATPort' $gateway.IncomingPort)
            externalAddress = Text $gateway.IPAddress
            externalIps = ListOf @(Text $gateway.IPAddress | Where-Object { $_ -as [Net.IPAddress] })
            outOfDate = $false
            disabled = -not [bool]$gateway.Enabled
            status = 'Healthy'
        }
    }
}

function Collect-Repositories {
    $all = @(Get-VBRBackupRepository | Where-Object { (Text $_.Type) -ne 'Cloud' }) + @(Get-VBRBackupRepository -ScaleOut)
    foreach ($repository in $all) {
        $capacity = $null
        $free = $null
        if ($repository.PSObject.Methods.Match('GetContainer').Count -gt 0) {
            $container = $repository.GetContainer()
            $capacity = [long]$container.CachedTotalSpace.InBytes
            $free = [long]$container.CachedFreeSpace.InBytes
            if ($capacity -lt 0) { $capacity = $null }
            if ($free -lt 0) { $free = $null }
        }
        @{
            key = Key $repository.Id
            name = Text $repository.Name
            objectStorage = (Text (Member $repository 'Type' '')) -match '^(AmazonS3|AzureBlob|AzureStorage|GoogleCloud|S3Compatible|Wasabi|IBM)'
            capacity = $capacity
            freeSpace = $free
        }
    }
}

# A share has no id of its own that the reference names; a tenant has at most one of each repository.
function Share-Key($resource) { Key $resource.Repository.Id }

function Collect-Shares($tenant) {
    $first = $true
    foreach ($resource in @($tenant.Resources)) {
        # Machines are counted by tenant: they show at the first share.
        $counts = if ($first) { $tenant } else { $null }
        $first = $false
        $tier = { param($name) $used = Member $resource $name $null; if ($null -eq $used) { $null } else { [long]$used * $MB } }
        @{
            key = Share-Key $resource
            repositoryKey = Key $resource.Repository.Id
            name = Text $resource.RepositoryFriendlyName
            storageQuota = [long]$resource.RepositoryQuota * $MB
            usedSpace = [long]$resource.UsedSpace * $MB
            wanAcceleratorKey = $(if ($resource.WanAccelerationEnabled) { Key $resource.WanAccelerator.Id } else { $null })
            performanceTier = & $tier 'PerformanceTierUsedSpace'
            capacityTier = & $tier 'CapacityTierUsedSpace'
            archiveTier = & $tier 'ArchiveTierUsedSpace'
            serverBackups = [long](Member $counts 'ServerCount' 0)
            workstationBackups = [long](Member $counts 'WorkstationCount' 0)
            vmBackups = [long](Member $counts 'VMCount' 0)
        }
    }
}

function Collect-Tenants {
    foreach ($tenant in @(Get-VBRCloudTenant)) {
        $throttling = $null
        if ($tenant.ThrottlingEnabled) {
            $throttling = @{ value = [long]$tenant.ThrottlingValue; unit = Text $tenant.ThrottlingUnit }
        }
        $isVcd = (Text (Member $tenant 'Type' '')) -match 'VCD'
        @{
            key = Key $tenant.Id
            name = Text $tenant.Name
            userName = Text $tenant.Name
            description = Text $tenant.Description
            enabled = [bool]$tenant.Enabled
            leaseExpiresAt = $(if ($tenant.LeaseExpirationEnabled) { Instant $tenant.LeaseExpirationDate } else { $null })
            throttling = $throttling
            maxConcurrentTasks = [long]$tenant.MaxConcurrentTask
            protectionDays = $(if ($tenant.BackupProtectionEnabled) { [long]$tenant.BackupProtectionPeriod } else { $null })
            gatewayPoolKeys = ListOf @(Member $tenant 'GatewayPool' @() | ForEach-Object { Key $_.Id })
            gatewayFailover = [bool](Member $tenant 'GatewayFailoverEnabled' $false)
            nativeReplication = [bool](Member $tenant 'ReplicationResourcesEnabled' $false) -and -not $isVcd
            vcdReplication = [bool](Member $tenant 'ReplicationResourcesEnabled' $false) -and $isVcd
            lastActive = Instant (Member $tenant 'LastActive' $null)
            dataOut = 0
            dataIn = 0
            backupResources = ListOf @(Collect-Shares $tenant)
        }
    }
}

function Collect {
    $info = Get-VBRBackupServerInfo
    $pools = @(Get-VBRCloudGatewayPool)
    $license = Collect-License
    $gateways = ListOf @(Collect-Gateways $pools)
    $port = $(if ($gateways.Count -gt 0) { $gateways[0].externalPort } else { 6180 })
    $answer = @{
        version = 1
        facet = 'cloud-connect'
        server = @{ key = (Text $info.Name).ToLowerInvariant(); name = Text $info.Name; version = Text $info.Build }
        site = @{
            name = Text $info.Name
            port = [int]$port
            maintenanceMode = (Text (Get-VBRCloudInfrastructureState)) -eq 'Maintenance'
            tenantManagement = $true
            enterprise = $null -ne $license -and $license.cloudConnect -eq 'Enterprise'
        }
        gatewayPools = ListOf @($pools | ForEach-Object { @{ key = Key $_.Id; name = Text $_.Name } })
        gateways = $gateways
        repositories = ListOf @(Collect-Repositories)
        wanAccelerators = ListOf @(Get-VBRWANAccelerator | ForEach-Object { @{ key = Key $_.Id; name = Text $_.Name } })
        tenants = ListOf @(Collect-Tenants)
        backups = ListOf @()
    }
    if ($null -ne $license) { $answer.license = $license }
    return $answer
}

# --- Commands -------------------------------------------------------------------------------------------------------------

function Done([string]$message, $key) {
    $answer = @{ version = 1; done = $true; message = $message }
    if ($null -ne $key) { $answer.key = $key }
    return $answer
}

function Refuse([string]$message) { throw [InvalidOperationException]$message }

# By the server's key, else by the name that it has.
function Find-Tenant($payload) {
    $all = @(Get-VBRCloudTenant)
    $key = Key (Member $payload 'tenantKey' $null)
    if ($null -ne $key) { return $all | Where-Object { (Key $_.Id) -eq $key } | Select-Object -First 1 }
    return $all | Where-Object { $_.Name -eq $payload.tenantName } | Select-Object -First 1
}

function Must-FindTenant($payload) {
    $tenant = Find-Tenant $payload
    if ($null -eq $tenant) { Refuse "the server has no tenant `"$($payload.tenantName)`"" }
    return $tenant
}

function Tenant-Settings($settings, $password) {
    if ($settings.type -ne 'General') { Refuse 'tenants of Cloud Director are made on the server itself' }
    $given = @{
        Name = [string]$settings.userName
        Description = Text $settings.description
        MaxConcurrentTask = [int]$settings.maxConcurrentTask
        EnableLeaseExpiration = $null -ne $settings.leaseExpirationDate
        EnableThrottling = $null -ne $settings.throttling
        EnableBackupProtection = $null -ne $settings.backupProtectionPeriod
        GatewaySelectionType = [string]$settings.gatewaySelectionType
        EnableGatewayFailover = [bool]$settings.isGatewayFailoverEnabled
    }
    if ($given.EnableLeaseExpiration) { $given.LeaseExpirationDate = [DateTime]$settings.leaseExpirationDate }
    if ($given.EnableThrottling) {
        $given.ThrottlingValue = [decimal]$settings.throttling.value
        $given.ThrottlingUnit = [string]$settings.throttling.unit
    }
    if ($given.EnableBackupProtection) { $given.BackupProtectionPeriod = [int]$settings.backupProtectionPeriod }
    $wanted = @($settings.gatewayPools | ForEach-Object { Key $_ })
    if ($wanted.Count -gt 0) {
        $given.GatewayPool = @(Get-VBRCloudGatewayPool | Where-Object { $wanted -contains (Key $_.Id) })
        if ($given.GatewayPool.Count -ne $wanted.Count) { Refuse 'the server does not have all of the gateway pools' }
    }
    if ($null -ne $password) { $given.Password = [string]$password }
    return $given
}

function Turn-Tenant($tenant, [bool]$on) {
    if ([bool]$tenant.Enabled -eq $on) { return }
    if ($on) { Enable-VBRCloudTenant -CloudTenant $tenant -Confirm:$false | Out-Null }
    else { Disable-VBRCloudTenant -CloudTenant $tenant -Confirm:$false | Out-Null }
}

function Put-Tenant($payload, $password, [bool]$new) {
    $given = Tenant-Settings $payload.settings $password
    $tenant = Find-Tenant $payload
    if ($null -eq $tenant) {
        if (-not $new) { Refuse "the server has no tenant `"$($payload.tenantName)`"" }
        $tenant = Add-VBRCloudTenant @given
    } else {
        $tenant = Set-VBRCloudTenant -CloudTenant $tenant -PassThru @given
    }
    Turn-Tenant $tenant ([bool]$payload.settings.isEnabled)
    return Done 'the tenant is as it should be' (Key $tenant.Id)
}

function Delete-Tenant($payload) {
    $tenant = Find-Tenant $payload
    if ($null -eq $tenant) { return Done 'the server has no such tenant' }
    Turn-Tenant $tenant $false
    Remove-VBRCloudTenant -CloudTenant $tenant -IncludeBackups:([bool]$payload.deleteBackups) -Confirm:$false | Out-Null
    return Done 'the tenant is gone'
}

function Find-Share($tenant, $payload) {
    $key = Key (Member $payload 'resourceKey' $null)
    if ($null -ne $key) {
        return @($tenant.Resources) | Where-Object { (Share-Key $_) -eq $key } | Select-Object -First 1
    }
    return @($tenant.Resources) | Where-Object { $_.RepositoryFriendlyName -eq $payload.resourceName } | Select-Object -First 1
}

function Put-Share($payload, [bool]$new) {
    $tenant = Must-FindTenant $payload
    $settings = $payload.settings
    $repository = @(Get-VBRBackupRepository) + @(Get-VBRBackupRepository -ScaleOut) |
        Where-Object { (Key $_.Id) -eq (Key $settings.repository) } | Select-Object -First 1
    if ($null -eq $repository) { Refuse 'the server has no such repository' }
    $given = @{
        Repository = $repository
        RepositoryFriendlyName = [string]$settings.cloudRepositoryName
        Quota = [long][Math]::Ceiling([double]$settings.storageQuota / $GB)
        EnableWanAccelerator = $null -ne $settings.wanAccelerator
    }
    if ($given.EnableWanAccelerator) {
        $given.WanAccelerator = Get-VBRWANAccelerator | Where-Object { (Key $_.Id) -eq (Key $settings.wanAccelerator) } |
            Select-Object -First 1
        if ($null -eq $given.WanAccelerator) { Refuse 'the server has no such WAN accelerator' }
    }
    $share = Find-Share $tenant $payload
    if ($null -eq $share -and -not $new) { Refuse "the tenant has no cloud repository `"$($payload.resourceName)`"" }
    $others = @(@($tenant.Resources) | Where-Object { $null -eq $share -or (Share-Key $_) -ne (Share-Key $share) })
    $share = if ($null -eq $share) { New-VBRCloudTenantResource @given }
        else { Set-VBRCloudTenantResource -CloudTenantResource $share @given }
    Set-VBRCloudTenant -CloudTenant $tenant -EnableResources -Resources ($others + $share) | Out-Null
    return Done 'the cloud repository is as it should be' (Key $repository.Id)
}

function Delete-Share($payload) {
    $tenant = Find-Tenant $payload
    $share = if ($null -eq $tenant) { $null } else { Find-Share $tenant $payload }
    if ($null -eq $share) { return Done 'the tenant has no such cloud repository' }
    $others = @(@($tenant.Resources) | Where-Object { (Share-Key $_) -ne (Share-Key $share) })
    if ($others.Count -eq 0) { Set-VBRCloudTenant -CloudTenant $tenant -EnableResources:$false -Force | Out-Null }
    else { Set-VBRCloudTenant -CloudTenant $tenant -Resources $others -Force | Out-Null }
    return Done 'the cloud repository is gone'
}

function Find-Subtenant($tenant, $payload) {
    return Get-VBRCloudSubTenant |
        Where-Object { (Key $_.TenantId) -eq (Key $tenant.Id) -and $_.Name -eq $payload.subtenant.userName } |
        Select-Object -First 1
}

function Put-Subtenant($payload, $password, [bool]$new) {
    $tenant = Must-FindTenant $payload
    $wanted = $payload.subtenant
    $found = Find-Subtenant $tenant $payload
    $on = [bool](Member $wanted 'isEnabled' $true)
    if ($null -eq $found) {
        if (-not $new) { Refuse "the tenant has no subtenant `"$($wanted.userName)`"" }
        if ($null -eq $password) { Refuse 'a subtenant needs a password' }
        $share = Find-Share $tenant $payload
        if ($null -eq $share) { Refuse "the tenant has no cloud repository `"$($payload.resourceName)`"" }
        $quota = @{ Parent = $share; RepositoryFriendlyName = [string]$wanted.resourceName }
        if ($null -ne $wanted.storageQuota) { $quota.Quota = [long][Math]::Ceiling([double]$wanted.storageQuota / $GB) }
        $resource = New-VBRCloudSubTenantResource @quota
        Add-VBRCloudSubTenant -Tenant $tenant -Name ([string]$wanted.userName) -Password ([string]$password) `
            -Description (Text $wanted.description) -Resources $resource -Disabled:(-not $on) | Out-Null
    } else {
        $given = @{ SubTenant = $found; Description = Text $wanted.description }
        if ($null -ne $password) { $given.Password = [string]$password }
        Set-VBRCloudSubTenant @given | Out-Null
        if ([bool]$found.Enabled -ne $on) {
            if ($on) { Enable-VBRCloudSubTenant -SubTenant $found -Confirm:$false | Out-Null }
            else { Disable-VBRCloudSubTenant -SubTenant $found -Confirm:$false | Out-Null }
        }
    }
    return Done 'the subtenant is as it should be'
}

function Delete-Subtenant($payload) {
    $tenant = Find-Tenant $payload
    $found = if ($null -eq $tenant) { $null } else { Find-Subtenant $tenant $payload }
    if ($null -ne $found) { Remove-VBRCloudSubTenant -SubTenant $found -Confirm:$false | Out-Null }
    return Done 'the subtenant is gone'
}

function Turn-Maintenance($payload) {
    $is = (Text (Get-VBRCloudInfrastructureState)) -eq 'Maintenance'
    if ($is -ne [bool]$payload.enabled) {
        if ($payload.enabled) { Enable-VBRCloudMaintenanceMode -Confirm:$false | Out-Null }
        else { Disable-VBRCloudMaintenanceMode -Confirm:$false | Out-Null }
    }
    return Done 'the maintenance mode is as it should be'
}

function Execute($request) {
    $payload = $request.payload
    $password = Member (Member $request 'secret' $null) 'password' $null
    switch ([string]$request.kind) {
        'site-maintenance' { return Turn-Maintenance $payload }
        'tenant-create' { return Put-Tenant $payload $password $true }
        'tenant-edit' { return Put-Tenant $payload $password $false }
        'tenant-enable' { Turn-Tenant (Must-FindTenant $payload) $true; return Done 'the tenant is let in' }
        'tenant-disable' { Turn-Tenant (Must-FindTenant $payload) $false; return Done 'the tenant is kept out' }
        'tenant-delete' { return Delete-Tenant $payload }
        'backup-resource-create' { return Put-Share $payload $true }
        'backup-resource-edit' { return Put-Share $payload $false }
        'backup-resource-delete' { return Delete-Share $payload }
        'subtenant-create' { return Put-Subtenant $payload $password $true }
        'subtenant-edit' { return Put-Subtenant $payload $password $false }
        'subtenant-delete' { return Delete-Subtenant $payload }
        default { Refuse "PowerShell has no way to do `"$($request.kind)`"; do it in the server's console" }
    }
}

$request = ConvertFrom-Json -InputObject ([Console]::In.ReadToEnd())
if ($request.version -ne 1) { throw "this script speaks version 1 of the contract, not $($request.version)" }
Import-Module Veeam.Backup.PowerShell -DisableNameChecking
if ($request.action -eq 'collect') {
    Write-Answer (Collect)
} else {
    try { Write-Answer (Execute $request) }
    catch { Write-Answer @{ version = 1; done = $false; message = [string]$_.Exception.Message } }
}
