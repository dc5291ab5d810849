//! Generates the protocol's code with protox, so that no `protoc` need be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = protox::compile(["keelson/agent/v1/console.proto"], ["proto"])?;
    // A job is by far the largest record: in place it would make every other one as large.
    tonic_prost_build::configure().boxed(".keelson.agent.v1.Record.kind.job").compile_fds(files)?;
    println!("cargo::rerun-if-changed=proto");
    Ok(())
}
