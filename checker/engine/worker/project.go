package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// always is the part of the input that every rule gets: how to read the rest.
const always = "version"

// project returns the parts of a policy input that the rules read, all of it when
// that is not known. They see no more: whatever they say they read, a verdict
// depends on nothing else.
func project(input []byte, reads []string) ([]byte, error) {
	if reads == nil {
		return input, nil
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(input, &parts); err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	var doc bytes.Buffer
	fmt.Fprintf(&doc, `{"%s":%s`, always, parts[always])
	for _, name := range reads {
		if part, ok := parts[name]; ok && name != always {
			fmt.Fprintf(&doc, ",%q:%s", name, part)
		}
	}
	doc.WriteByte('}')
	return doc.Bytes(), nil
}
