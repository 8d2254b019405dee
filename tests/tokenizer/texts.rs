//! Texts as nobody writes them, in many scripts: the same for the same seed.

use std::ops::RangeInclusive;

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another one.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// Letters of a script, or others of a kind.
const SCRIPTS: &[RangeInclusive<u32>] = &[
    0x61..=0x7a,       // Latin
    0x20..=0x7e,       // ASCII
    0xa1..=0x24f,      // Latin with marks
    0x370..=0x3ff,     // Greek
    0x400..=0x4ff,     // Cyrillic
    0x530..=0x58f,     // Armenian
    0x590..=0x5f4,     // Hebrew
    0x600..=0x6ff,     // Arabic
    0x900..=0x97f,     // Devanagari
    0x980..=0x9ff,     // Bengali
    0xb80..=0xbff,     // Tamil
    0xe00..=0xe7f,     // Thai
    0x10a0..=0x10ff,   // Georgian
    0x1200..=0x137f,   // Ethiopic
    0x1780..=0x17ff,   // Khmer
    0x3040..=0x30ff,   // Japanese syllables
    0x4e00..=0x9fff,   // Han
    0xac00..=0xd7a3,   // Hangul
    0x1100..=0x11ff,   // Hangul's parts
    0x300..=0x36f,     // combining marks
    0x1f300..=0x1faff, // emoji
    0x1f1e6..=0x1f1ff, // flags
    0x20000..=0x2a6df, // rare Han
    0xe000..=0xf8ff,   // private use
    0x2580..=0x259f,   // around what stands for a space
    0x0..=0x9f,        // control characters
    0x0..=0x10ffff,    // anything
];

const SPACES: &[&str] = &[
    " ",
    " ",
    "  ",
    "    ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\u{b}",
    "\u{85}",
    "\u{a0}",
    "\u{1680}",
    "\u{2003}",
    "\u{200b}",
    "\u{2028}",
    "\u{202f}",
    "\u{3000}",
    "\u{feff}",
    "\u{2581}",
    "\u{2581}\u{2581}",
];

const PHRASES: &[&str] = &[
    "the quick brown fox",
    "detect cat ; dog",
    "answer en What is in the picture?",
    "Straße",
    "ÅNGSTRÖM",
    "don't",
    "привет, мир",
    "Ξεσκεπάζω",
    "שלום עולם",
    "مرحبا بالعالم",
    "नमस्ते दुनिया",
    "สวัสดีชาวโลก",
    "你好，世界",
    "こんにちは世界",
    "안녕하세요 세계",
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈",
    "👍🏽",
    "e\u{301}",
    "Z\u{351}\u{36b}\u{343}a",
    "x²+y²=z²",
    "ﬁﬂ ½ ™ ⅷ ㌀ … ￥",
    "Ａ\u{301}",
    "™\u{301}\u{302}",
    "\u{a0}\u{301}",
    "o\u{302}\u{301}",
    "क\u{94d}\u{958}\u{301}",
    "😀\u{200d}™\u{301}",
    "\u{600}a\u{301}",
    "\r\n\u{301}",
    "\u{1100}\u{1161}\u{11a8}",
    "ΟΔΟΣ ΣΊΣΥΦΟΣ",
    "</s>",
    "a </s>  b",
    "<extra_id_3>",
    "3.14159",
    "1,000,000",
    "https://a.b/c?d=e",
    "fn main() { println!(\"{}\", 1); }",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "abababababababab",
    "<html>",
    "</b>",
    "<0x41>",
    "<0x0a>",
    "<unk>",
    "<loc",
    "<loc00",
    "<loc12345>",
    "<seg12>",
    "<<bos>>",
    "<image",
    "\u{0}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10ffff}",
];

/// A text of up to 12 parts, some of them of the given ones.
pub fn text(random: &mut Random, pieces: &[&str], added: &[&str]) -> String {
    let mut text = String::new();
    for _ in 0..random.below(13) {
        match random.below(9) {
            0..=2 => {
                let script = &SCRIPTS[random.below(SCRIPTS.len())];
                let count = script.end() - script.start() + 1;
                let letters = (0..1 + random.below(10)).map(|_| script.start() + random.below(count as usize) as u32);
                text.extend(letters.filter_map(char::from_u32).collect::<Vec<char>>());
            }
            3 | 4 => text.push_str(random.of(SPACES)),
            5 => text.push_str(random.of(PHRASES)),
            6 => text.push_str(random.of(added)),
            _ => (0..1 + random.below(4)).for_each(|_| text.push_str(random.of(pieces))),
        }
    }
    text
}
