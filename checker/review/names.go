package review

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

// JSON holds no string but in UTF-8, and encoding/json replaces what is not. A
// file's name is any bytes but NUL (path_resolution(7)), and one that was replaced
// would name another file, which did not change.

// encode returns v as JSON that unmarshal reads back to the byte.
func encode(v any) ([]byte, error) {
	return json.Marshal(mapped(reflect.ValueOf(v), escape).Interface())
}

func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	at := reflect.ValueOf(v).Elem()
	at.Set(mapped(at, unescape))
	return nil
}

// escape writes a byte that is not of UTF-8, and NUL, as NUL and two hexadecimal
// digits.
func escape(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			b.WriteString("\x00" + hex.EncodeToString([]byte{s[i]}))
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func unescape(s string) string {
	head, rest, found := strings.Cut(s, "\x00")
	if !found {
		return s
	}
	var b strings.Builder
	b.WriteString(head)
	for found {
		head, rest, found = strings.Cut(rest, "\x00")
		digits := head[:min(2, len(head))]
		raw, err := hex.DecodeString(digits)
		if err == nil && len(raw) == 1 {
			b.Write(raw)
			head = head[2:]
		}
		b.WriteString(head)
	}
	return b.String()
}

// mapped is a copy of v, exported fields, elements and keys included, of which
// change has made every string.
func mapped(v reflect.Value, change func(string) string) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	to.Set(v)
	switch v.Kind() {
	case reflect.String:
		to.SetString(change(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			to.Set(reflect.New(v.Type().Elem()))
			to.Elem().Set(mapped(v.Elem(), change))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if to.Field(i).CanSet() {
				to.Field(i).Set(mapped(v.Field(i), change))
			}
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		to.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			to.Index(i).Set(mapped(v.Index(i), change))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		to.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for k, e := range v.Seq2() {
			to.SetMapIndex(mapped(k, change), mapped(e, change))
		}
	}
	return to
}
