use super::*;
use crate::base::ErrorKind;

/// A safetensors file with this header and as many zero bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn open(bytes: Vec<u8>) -> Result<usize, crate::base::Error> {
    let mut files = MemoryFiles::new();
    files.insert("model.safetensors", bytes);
    Checkpoint::open(&files, &CheckpointRules::default()).map(|checkpoint| checkpoint.tensors().count())
}

fn refused(bytes: Vec<u8>, parts: &[&str]) {
    let error = open(bytes).expect_err("the file lies");
    assert_eq!(error.kind(), ErrorKind::BadModelFile, "{error}");
    for part in parts.iter().chain(&["model.safetensors"]) {
        assert!(error.to_string().contains(part), "{part:?} was expected in {error}");
    }
}

#[cfg(not(feature = "npz"))]
#[test]
fn an_archive_is_refused_by_name_where_none_can_be_read() {
    let mut files = MemoryFiles::new();
    files.insert("paligemma.npz", Vec::new());
    let error = Checkpoint::open(&files).expect_err("there are no other weights");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("paligemma.npz"), "{error}");
}

const ONE: &str = r#"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#;

#[test]
fn an_honest_file_opens() {
    assert_eq!(open(file(ONE, 24)).expect("the file is well"), 1);
}

#[test]
fn truncated_files_are_refused_wherever_they_end() {
    let whole = file(ONE, 24);
    for length in 0..whole.len() {
        refused(whole[..length].to_vec(), &[]);
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = file(ONE, 24);
    for at in 0..whole.len() {
        for value in [0, b'"', b'9', b'}', 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = open(bytes);
        }
    }
}

#[test]
fn headers_that_lie_are_refused() {
    let tensor = |dtype: &str, shape: &str, first: &str, end: &str| {
        format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{first},{end}]}}}}"#)
    };
    refused(file(&tensor("F32", "[2,3]", "0", "400"), 24), &["x", "0..400", "0..24"]);
    refused(file(&tensor("F32", "[2,3]", "24", "0"), 24), &["x", "24..0"]);
    refused(file(&tensor("F32", "[2,4]", "0", "24"), 24), &["x", "24 bytes", "[2, 4]"]);
    refused(file(&tensor("F16", "[2,3]", "0", "24"), 24), &["x", "F16"]);
    refused(file(&tensor("F32", "[4611686018427387904,4]", "0", "0"), 0), &["x"]);
    refused(file(&tensor("F32", "[2,3]", "0", "-1"), 24), &[]);
    refused(file(&tensor("F32", "[2,3]", "0", "1e30"), 24), &[]);
    refused(file(&tensor("F32", "[2,3]", "4", "28"), 28), &["x", "byte"]);
    refused(file(ONE, 25), &["end"]);
    let twice = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    refused(file(twice, 8), &["twice"]);
    let overlap = r#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    refused(file(overlap, 12), &["y"]);
    let mut huge = (10u64 << 30).to_le_bytes().to_vec();
    huge.resize(100, b' ');
    refused(huge, &["10737418240"]);
    refused(file("[1, 2]", 0), &[]);
}

#[test]
fn rows_are_widened_and_bounded() {
    let mut bytes = file(r#"{"x":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}"#, 0);
    bytes.extend([0x80, 0x3f, 0x00, 0x40, 0x40, 0x40, 0x80, 0xbf]);
    let mut files = MemoryFiles::new();
    files.insert("model.safetensors", bytes);
    let checkpoint = Checkpoint::open(&files, &CheckpointRules::default()).expect("the file is well");
    let mut out = vec![7.0];
    checkpoint.read_rows("x", 1..2, &mut out).expect("the row is there");
    assert_eq!(out, [7.0, 3.0, -1.0]);
    assert_eq!(checkpoint.shape("x").expect("x is there"), [2, 2]);
    assert!(checkpoint.read_rows("x", 1..3, &mut out).is_err());
    assert_eq!(checkpoint.shape("y").expect_err("there is no y").kind(), ErrorKind::BadModelFile);
}

#[test]
fn integers_are_no_weights() {
    let mut files = MemoryFiles::new();
    files.insert("model.safetensors", file(r#"{"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, 8));
    let checkpoint = Checkpoint::open(&files, &CheckpointRules::default()).expect("other tensors may be there");
    let error = checkpoint.read_rows("x", 0..1, &mut Vec::new()).expect_err("x is no weight");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Another architecture's: upper case is one name, `b` is tied to `a`, and `more.safetensors` may be there.
const RULES: CheckpointRules = CheckpointRules {
    canonical: |name| name.to_lowercase(),
    tied: &[TiedTensors { tensor: "b", to: "a" }],
    extra: &[ExtraFile { file: "more.safetensors", prefix: "more." }],
    #[cfg(feature = "npz")]
    archive: None,
};

/// A file of one-element tensors.
fn tensors(all: &[(&str, u8)]) -> Vec<u8> {
    let entry = |(n, (name, _)): (usize, &(&str, u8))| {
        format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}}"#, n * 4, n * 4 + 4)
    };
    let entries: Vec<String> = all.iter().enumerate().map(entry).collect();
    let mut bytes = file(&format!("{{{}}}", entries.join(",")), 0);
    all.iter().for_each(|&(_, value)| bytes.extend([0, 0, 0, value]));
    bytes
}

fn names_by_rules(files: &[(&str, &[(&str, u8)])]) -> Result<Vec<String>, crate::base::Error> {
    let mut all = MemoryFiles::new();
    files.iter().for_each(|(name, held)| all.insert(*name, tensors(held)));
    let checkpoint = Checkpoint::open(&all, &RULES)?;
    let names = ["a", "b", "c", "more.a"].into_iter().filter(|name| checkpoint.shape(name).is_ok());
    Ok(names.map(str::to_owned).collect())
}

#[test]
fn rules_say_what_tensors_are_called_and_which_are_one() {
    let names = |held: &[(&str, u8)]| names_by_rules(&[("model.safetensors", held)]);
    assert_eq!(names(&[("A", 1), ("c", 2)]).expect("two tensors"), ["a", "c"]);
    assert_eq!(names(&[("B", 1)]).expect("one of the two is enough"), ["a"]);
    assert_eq!(names(&[("B", 1), ("a", 1)]).expect("they are the same"), ["a"]);
    let error = names(&[("B", 1), ("a", 2)]).expect_err("they differ");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("B differs from a"), "{error}");
    let error = names(&[("A", 1), ("a", 1)]).expect_err("it is there twice");
    assert_eq!(error.kind(), ErrorKind::BadModelFile, "{error}");
}

#[test]
fn a_further_file_has_its_prefix() {
    let names = names_by_rules(&[("model.safetensors", &[("c", 1)]), ("more.safetensors", &[("A", 1)])]);
    assert_eq!(names.expect("both are well"), ["c", "more.a"]);
}

#[test]
fn shards_are_joined_and_missing_ones_named() {
    let mut files = MemoryFiles::new();
    assert_eq!(
        Checkpoint::open(&files, &CheckpointRules::default()).expect_err("nothing is there").kind(),
        ErrorKind::NotFound
    );
    files.insert(
        "model.safetensors.index.json",
        br#"{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}"#.to_vec(),
    );
    files.insert("a.safetensors", file(ONE, 24));
    let error = Checkpoint::open(&files, &CheckpointRules::default()).expect_err("a shard is missing");
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("b.safetensors"), "{error}");
    files.insert("b.safetensors", file(&ONE.replace("\"x\"", "\"y\""), 24));
    assert_eq!(Checkpoint::open(&files, &CheckpointRules::default()).expect("all is there").tensors().count(), 2);
    files.insert("b.safetensors", file(&ONE.replace("\"x\"", "\"z\""), 24));
    let error = Checkpoint::open(&files, &CheckpointRules::default()).expect_err("y is in no shard");
    assert!(error.kind() == ErrorKind::BadModelFile && error.to_string().contains('y'), "{error}");
}

#[test]
fn json_errors_say_where() {
    let mut files = MemoryFiles::new();
    assert_eq!(
        read_json(&files, "config.json").map_err(crate::base::Error::from).expect_err("nothing is there").kind(),
        ErrorKind::NotFound
    );
    files.insert("config.json", b"{\n  \"a\": }".to_vec());
    let error = read_json(&files, "config.json").expect_err("it is no JSON").to_string();
    assert!(error.contains("config.json") && error.contains("line 2"), "{error}");
}
