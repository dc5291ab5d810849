//! Generates the protocol's code with protox, so that no `protoc` need be installed.

/// Far larger than what a batch mostly carries, restore points of plain engines: in place they would make every record as
/// large.
const LARGE: &[&str] = &[
    "Record.kind.machine",
    "Record.kind.job",
    "Record.kind.session",
    "Record.kind.backup",
    "Record.kind.license",
    "Record.kind.vb365_object",
    "Record.kind.cloud",
    "Workload.details",
    "RestorePoint.details",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = protox::compile(["keelson/agent/v1/console.proto"], ["proto"])?;
    let configured = tonic_prost_build::configure().codec_path("crate::codec::BoundedCodec");
    let boxed =
        LARGE.iter().fold(configured, |config, field| config.boxed(format!(".keelson.agent.v1.{field}")));
    boxed.compile_fds(files)?;
    println!("cargo::rerun-if-changed=proto");
    Ok(())
}
