package opa

import (
	"fmt"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// example reads the options alone, or an object of what engine.Example holds.
func example(v any) (*engine.Example, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return &engine.Example{Bwrap: v}, nil
	case map[string]any:
		x := &engine.Example{}
		fields := map[string]*string{"bwrap": &x.Bwrap, "given": &x.Given, "setup": &x.Setup}
		for key, value := range v {
			text, ok := value.(string)
			if fields[key] == nil || !ok {
				return nil, fmt.Errorf("%q: write bwrap, given and setup, each a text", key)
			}
			*fields[key] = text
		}
		return x, nil
	}
	return nil, fmt.Errorf("is %T: write bwrap's options, or an object with bwrap, given and setup", v)
}
