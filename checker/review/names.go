package review

import (
	"encoding/json"
	"reflect"

	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// JSON holds no string but in UTF-8, and encoding/json replaces what is not. A
// file's name is any bytes but NUL (path_resolution(7)), and one that was replaced
// would name another file, which did not change.

// encode returns v as JSON that unmarshal reads back to the byte.
func encode(v any) ([]byte, error) {
	return json.Marshal(octets.Map(v, octets.Escape))
}

func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	reflect.ValueOf(v).Elem().Set(reflect.ValueOf(octets.Map(v, octets.Unescape)).Elem())
	return nil
}
