//! What kind of recording a file is: by its content, for providers and customers name it as they
//! like. Pure.

/// A kind of recording, as transcription servers know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The end of the file's name; some servers go by it.
    pub(super) extension: &'static str,
    /// The content type; others go by this.
    pub(super) content_type: &'static str,
}

const fn kind(extension: &'static str, content_type: &'static str) -> Kind {
    Kind {
        extension,
        content_type,
    }
}

const OGG: Kind = kind("ogg", "audio/ogg");
const AMR: Kind = kind("amr", "audio/amr");
const MP3: Kind = kind("mp3", "audio/mpeg");
const AAC: Kind = kind("aac", "audio/aac");
const MP4: Kind = kind("m4a", "audio/mp4");
const WAV: Kind = kind("wav", "audio/wav");
const WEBM: Kind = kind("webm", "audio/webm");
const FLAC: Kind = kind("flac", "audio/flac");
const CAF: Kind = kind("caf", "audio/x-caf");

/// The kind that the first bytes tell, else the one that was said, else WhatsApp's own.
pub(super) fn kind_of(bytes: &[u8], said: &str) -> Kind {
    let starts = [
        (&b"OggS"[..], OGG),
        (b"#!AMR", AMR),
        (b"ID3", MP3),
        (b"fLaC", FLAC),
        (b"caff", CAF),
        (&[0x1a, 0x45, 0xdf, 0xa3], WEBM),
    ];
    if let Some((_, kind)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return *kind;
    }
    match bytes {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => WAV,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => MP4,
        // An MPEG frame begins with eleven set bits; layer 0 is AAC's.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => AAC,
        [0xff, second, ..] if second & 0xe0 == 0xe0 => MP3,
        _ => said_kind(said),
    }
}

fn said_kind(content_type: &str) -> Kind {
    match content_type.split(';').next().unwrap_or_default().trim() {
        "audio/mpeg" | "audio/mp3" => MP3,
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" | "audio/3gpp" => MP4,
        "audio/aac" | "audio/x-aac" => AAC,
        "audio/amr" | "audio/amr-nb" | "audio/AMR" => AMR,
        "audio/wav" | "audio/x-wav" | "audio/wave" => WAV,
        "audio/webm" => WEBM,
        "audio/flac" | "audio/x-flac" => FLAC,
        _ => OGG,
    }
}

/// A second of silence, as WAV: 16,000 samples of 16 bits.
pub(super) fn silence() -> Vec<u8> {
    const SAMPLES: u32 = 16_000;
    let bytes = SAMPLES * 2;
    let mut wav = Vec::with_capacity(44 + bytes as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + bytes).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    // PCM, one channel.
    wav.extend_from_slice(&[1, 0, 1, 0]);
    wav.extend_from_slice(&SAMPLES.to_le_bytes());
    wav.extend_from_slice(&bytes.to_le_bytes());
    wav.extend_from_slice(&[2, 0, 16, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    wav.resize(44 + bytes as usize, 0);
    wav
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_more_than_the_name() {
        for (bytes, said, kind) in [
            (&b"OggS\0\x02"[..], "audio/mpeg", OGG),
            (b"#!AMR\n<", "audio/ogg", AMR),
            (b"#!AMR-WB\n", "", AMR),
            (b"ID3\x04", "audio/ogg", MP3),
            (b"\xff\xfb\x90", "", MP3),
            (b"\xff\xf1\x50", "audio/mpeg", AAC),
            (b"\0\0\0\x20ftypM4A ", "audio/aac", MP4),
            (b"RIFF\x24\0\0\0WAVEfmt ", "", WAV),
            (b"\x1a\x45\xdf\xa3", "audio/ogg", WEBM),
            (b"fLaC", "", FLAC),
            (b"beep", "audio/amr", AMR),
            (b"beep", "audio/ogg; codecs=opus", OGG),
            (b"", "application/octet-stream", OGG),
        ] {
            assert_eq!(kind_of(bytes, said), kind, "{bytes:?} {said}");
        }
    }
}
