use crate::text::pieces::Pieces;

/// What is written so far.
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    pub fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A number of either sign, zigzag.
    pub fn signed(&mut self, number: i32) {
        self.number(((number << 1) ^ (number >> 31)) as u32);
    }

    /// A text behind its length.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Bytes behind their count.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u32);
        self.0.extend_from_slice(bytes);
    }

    /// The lengths of all pieces, and then all of them.
    pub fn pieces(&mut self, pieces: &Pieces) {
        self.number(pieces.len());
        pieces.iter().for_each(|piece| self.number(piece.len() as u32));
        pieces.iter().for_each(|piece| self.0.extend_from_slice(piece.as_bytes()));
    }
}
