package main

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// bare is data without what JSON has not (RFC 8259, section 8.1), and editors and
// shells put there: a byte order mark, UTF-16, and comments. It returns nil where
// there is none of it.
func bare(data []byte) []byte {
	text := decoded(data)
	cut := uncommented(text)
	if len(cut) == len(data) {
		return nil
	}
	return cut
}

// decoded is data in UTF-8, without a mark. UTF-16 is also known by the zero byte of its
// first character, which is ASCII in JSON.
func decoded(data []byte) []byte {
	if rest, ok := bytes.CutPrefix(data, []byte("\xef\xbb\xbf")); ok {
		return rest
	}
	if len(data) < 2 {
		return data
	}
	var order binary.ByteOrder
	switch {
	case data[0] == 0xff && data[1] == 0xfe, data[0] != 0 && data[1] == 0:
		order = binary.LittleEndian
	case data[0] == 0xfe && data[1] == 0xff, data[0] == 0 && data[1] != 0:
		order = binary.BigEndian
	default:
		return data
	}
	var units []uint16
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return bytes.TrimPrefix([]byte(string(utf16.Decode(units))), []byte("\xef\xbb\xbf"))
}

// uncommented is text without // and /* */ outside of strings.
func uncommented(text []byte) []byte {
	if !bytes.Contains(text, []byte("//")) && !bytes.Contains(text, []byte("/*")) {
		return text
	}
	kept := make([]byte, 0, len(text))
	for len(text) > 0 {
		n := 1
		switch {
		case text[0] == '"':
			n = stringLength(text)
		case bytes.HasPrefix(text, []byte("//")):
			text = after(text, "\n")
			continue
		case bytes.HasPrefix(text, []byte("/*")):
			text = after(text[2:], "*/")
			continue
		}
		kept, text = append(kept, text[:n]...), text[n:]
	}
	return kept
}

// stringLength is that of the JSON string at the beginning of text.
func stringLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func after(text []byte, end string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(end))
	return rest
}
