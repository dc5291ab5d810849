//! How messages are read off a connection: as prost reads them, after a look at how many things they are made of.
//!
//! Two bytes on the line can be a whole record in memory, a hundred times as large: a frame of the largest size would come to
//! hundreds of megabytes before anybody could count what is in it. So it is counted before.

use std::fmt;
use std::marker::PhantomData;

use prost::Message;
use prost::bytes::Buf as _;
use prost::encoding::decode_varint;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstCodec;

/// Texts and messages within a message. A full batch of an honest agent has some thousands.
pub const MOST_PIECES: usize = 128 * 1024;
/// So deep the protocol's messages go.
const DEPTH: u32 = 6;

/// The protocol's codec.
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

/// Reads messages that are not made of too much.
pub struct BoundedDecoder<U>(PhantomData<U>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> fmt::Debug for BoundedCodec<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoundedCodec")
    }
}

impl<U> fmt::Debug for BoundedDecoder<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoundedDecoder")
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(PhantomData)
    }
}

impl<U: Message + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        read(&bytes).map(Some)
    }
}

/// Reads one message.
pub fn read<U: Message + Default>(bytes: &[u8]) -> Result<U, Status> {
    let mut left = MOST_PIECES;
    if count(bytes, DEPTH, &mut left).is_err() {
        return Err(Status::out_of_range(format!("a message is made of more than {MOST_PIECES} pieces")));
    }
    U::decode(bytes).map_err(|error| Status::internal(error.to_string()))
}

/// There are too many.
struct TooMany;

/// Counts without knowing what is a text and what a message: a text that reads as a message counts as one. What is no message
/// is left to prost.
fn count(mut bytes: &[u8], depth: u32, left: &mut usize) -> Result<(), TooMany> {
    while let Ok(tag) = decode_varint(&mut bytes) {
        let length = match tag & 7 {
            0 if decode_varint(&mut bytes).is_ok() => 0,
            1 => 8,
            2 => {
                let Ok(length) = decode_varint(&mut bytes) else { return Ok(()) };
                let Ok(length) = usize::try_from(length) else { return Ok(()) };
                *left = left.checked_sub(1).ok_or(TooMany)?;
                if let Some(inner) = bytes.get(..length).filter(|_| depth > 0) {
                    count(inner, depth - 1, left)?;
                }
                length
            }
            5 => 4,
            _ => return Ok(()),
        };
        let Some(rest) = bytes.get(length..) else { return Ok(()) };
        bytes = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::agent_message::Kind;
    use crate::v1::{AgentMessage, Batch, Job, JobTask, Record, record};

    fn message(records: Vec<Record>) -> Vec<u8> {
        let batch = Batch { epoch: 1, sequence: 1, records };
        AgentMessage { kind: Some(Kind::Batch(batch)) }.encode_to_vec()
    }

    #[test]
    fn a_frame_of_ever_so_many_records_of_nothing_is_refused_before_it_is_read() {
        let empty = |count: usize| message(vec![Record { kind: None }; count]);
        assert!(read::<AgentMessage>(&empty(2_000)).is_ok());
        // 400 kB on the line.
        assert!(read::<AgentMessage>(&empty(200_000)).is_err());
    }

    #[test]
    fn a_record_of_ever_so_many_tasks_of_nothing_is_refused_before_it_is_read() {
        let job = |tasks: usize| {
            let job = Job { tasks: vec![JobTask::default(); tasks], ..Job::default() };
            message(vec![Record { kind: Some(record::Kind::Job(Box::new(job))) }])
        };
        assert!(read::<AgentMessage>(&job(10_000)).is_ok());
        assert!(read::<AgentMessage>(&job(200_000)).is_err());
    }

    #[test]
    fn what_is_no_message_is_refused_by_what_prost_says() {
        let refused = read::<AgentMessage>(&[0x12, 5, 0xff]).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Internal);
    }
}
