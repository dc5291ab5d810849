//! The agent protocol: `proto/keelson/agent/v1/console.proto` and the code generated from it.
//!
//! Read the `.proto`: it is the contract and carries the documentation.

/// Version 1 of the protocol.
pub mod v1 {
    tonic::include_proto!("keelson.agent.v1");
}
