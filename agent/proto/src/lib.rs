//! The agent protocol: `proto/keelson/agent/v1/console.proto` and the code generated from it; and the rules that host and agent
//! both keep ([`policy`], [`limits`]).
//!
//! Read the `.proto`: it is the contract and carries the documentation.

pub mod codec;
pub mod limits;
pub mod policy;

/// Version 1 of the protocol.
pub mod v1 {
    tonic::include_proto!("keelson.agent.v1");
}
