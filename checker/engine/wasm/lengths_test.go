package wasm

import (
	"errors"
	"fmt"
	"testing"
)

// Every length that the format has, once as large as a length can be.
func TestLengthsAreBounded(t *testing.T) {
	const most = "\xff\xff\xff\xff\x0f" // 4294967295
	for name, c := range map[string]struct {
		id   byte
		text string
	}{
		"custom":              {0, most},
		"types":               {1, most},
		"parameters":          {1, "\x01\x60" + most},
		"results":             {1, "\x01\x60\x00" + most},
		"imports":             {2, most},
		"import's module":     {2, "\x01" + most},
		"import's name":       {2, "\x01\x01m" + most},
		"functions":           {3, most},
		"tables":              {4, most},
		"memories":            {5, most},
		"globals":             {6, most},
		"exports":             {7, most},
		"export's name":       {7, "\x01" + most},
		"elements":            {9, most},
		"element's functions": {9, "\x01\x00\x41\x00\x0b" + most},
		"element's others":    {9, "\x01\x05\x70" + most},
		"codes":               {10, most},
		"code":                {10, "\x01" + most},
		"code's variables":    {10, "\x01\x05" + most},
		"data":                {11, most},
		"data's bytes":        {11, "\x01\x00\x41\x00\x0b" + most},
		"data without place":  {11, "\x01\x01" + most},
	} {
		t.Run(name, func(t *testing.T) {
			module := []byte("\x00asm\x01\x00\x00\x00")
			if c.id == 0 { // the section's own length
				module = append(append(module, 0), most...)
			} else {
				module = section(module, c.id, []byte(c.text))
			}
			if err := checkLengths(module); !errors.Is(err, errLength) {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), Options{}, Module{Name: "rule.wasm", Code: module}); !errors.Is(err, errLength) {
				t.Error(err)
			}
		})
	}
}

// What compilers make passes, and nothing before its end does.
func TestCompiledModulesAreBounded(t *testing.T) {
	for name, code := range findingSeeds(t) {
		if err := checkLengths(code); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		passed := 0
		for n := range len(code) {
			if checkLengths(code[:n]) == nil {
				passed++ // at the end of a section
			}
		}
		if passed > 24 {
			t.Errorf("%s: %d beginnings of %d pass", name, passed, len(code))
		}
	}
	for _, program := range illNatured() {
		if err := checkLengths(program); err != nil && fmt.Sprintf("%x", program[4:8]) == "01000000" {
			t.Errorf("%x: %v", program, err)
		}
	}
}
