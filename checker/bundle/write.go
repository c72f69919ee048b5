package bundle

import (
	"encoding/json"
	"fmt"
)

// Content is what a bundle is made of.
type Content struct {
	Manifest Manifest
	Rules    map[string][]byte // *.rego, *.wasm, and the *.json of a *.wasm, by path
	Data     map[string]any    // the documents below data, nil without
	Config   []byte            // the text of ocjail.hcl, nil without
	Plan     []byte            // what engine.OpenPlan takes, nil without
}

// Write makes an unsigned archive. Equal content gives equal bytes.
func Write(c Content) ([]byte, error) {
	files := map[string][]byte{}
	for name, text := range c.Rules {
		if k := kindOf(name); k != rule && k != description {
			return nil, fmt.Errorf("%s can not be in a bundle: OPA would take it for its own: rename it", name)
		}
		files[name] = text
	}
	for name, text := range map[string][]byte{configFile: c.Config, planFile: c.Plan} {
		if text != nil {
			files[name] = text
		}
	}
	var err error
	if files[manifestFile], err = c.Manifest.encode(); err != nil {
		return nil, err
	}
	if len(c.Data) > 0 {
		if files[dataFile], err = json.Marshal(c.Data); err != nil {
			return nil, fmt.Errorf("lists: %w", err)
		}
	}
	if err := canonical(files); err != nil {
		return nil, err
	}
	archive, err := pack(files, c.Manifest.Created)
	if err != nil {
		return nil, err
	}
	// What no launch would take must not be written.
	_, err = Open(archive, Trust{Unsigned: true, Now: c.Manifest.Created, Version: c.Manifest.Ocjail})
	return archive, err
}
