/// The bytes of a text in base64 with the usual letters, padded; none if it is not.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    let mut bytes = Vec::with_capacity(3 * groups.len());
    for (n, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|&&letter| letter == b'=').count();
        if padding > 2 || padding > 0 && n + 1 < groups.len() {
            return None;
        }
        let letters = group[..4 - padding].iter().map(|&letter| value(letter));
        let mut bits = letters.chain(std::iter::repeat_n(Some(0), padding));
        let bits = bits.try_fold(0, |bits, value| Some(bits << 6 | value?))?;
        bytes.extend(&bits.to_be_bytes()[1..4 - padding]);
    }
    rest.is_empty().then_some(bytes)
}

fn value(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(decode(text), Some(bytes.into()));
        }
        assert_eq!(decode("+/+/"), Some(vec![0xfb, 0xff, 0xbf]));
        for damaged in ["Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zm9é"] {
            assert_eq!(decode(damaged), None, "{damaged}");
        }
    }
}
