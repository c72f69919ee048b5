package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Lists returns the base documents that the lists of the sources make, as rules see
// them below data. Numbers in them are json.Number.
func Lists(sources ...Source) (map[string]any, error) {
	files, err := Read(sources...)
	if err != nil {
		return nil, err
	}
	data, err := Merge(slices.DeleteFunc(files, func(f File) bool { return !f.IsList() }))
	if err != nil {
		return nil, fmt.Errorf("read lists: %w", err)
	}
	return data, nil
}

// Merge builds the base documents out of list files. A list that is there already is
// extended; anything else that is there already is an error.
func Merge(lists []File) (map[string]any, error) {
	root := map[string]any{}
	for _, f := range lists {
		v, err := parse(f.Text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		for _, k := range slices.Backward(f.Keys()) {
			v = map[string]any{k: v}
		}
		if err := extend(root, v.(map[string]any)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return root, nil
}

func parse(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value in it")
	}
	return v, nil
}

func extend(into, more map[string]any) error {
	for k, v := range more {
		old, ok := into[k]
		if !ok {
			into[k] = v
			continue
		}
		switch v := v.(type) {
		case map[string]any:
			if old, ok := old.(map[string]any); ok {
				if err := extend(old, v); err != nil {
					return fmt.Errorf("%s: %w", k, err)
				}
				continue
			}
		case []any:
			if old, ok := old.([]any); ok {
				into[k] = slices.Concat(old, v)
				continue
			}
		}
		return fmt.Errorf("%s is defined already: only lists can be extended", k)
	}
	return nil
}
