package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// problems are those of the parameters in a rule block.
func (k Known) problems(r Rule) hclfile.Diagnostics {
	switch {
	case r.Params == nil:
	case k.Params != nil:
		var all hclfile.Diagnostics
		for _, p := range k.Params.Check(r.Params.Value) {
			message := p.Message
			if len(p.Path) > 0 {
				message = fmt.Sprintf("params%s: %s", steps(p.Path), message)
			}
			all = append(all, hclfile.Diagnostic{Pos: r.Params.At(p.Path...).Pos, Message: message})
		}
		return all
	case k.Layer == Embedded:
		return hclfile.Diagnostics{{Pos: r.Params.Pos, Message: fmt.Sprintf("rule %s takes no parameters", r.ID)}}
	}
	return nil
}

func steps(path []any) string {
	var b strings.Builder
	for _, p := range path {
		if i, ok := p.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
		} else {
			fmt.Fprintf(&b, ".%s", p)
		}
	}
	return b.String()
}

// params applies those of a rule block. What a parameter loosens only the rule
// knows, so a file may set those of rules that are its own layer's or a less
// trusted one's, of ocjail's own if nothing is above it, and of waivable ones; and
// none that a more trusted file has set, for that is what it wants.
func (s *Settled) params(c *Config, r Rule, now *Setting, floor Setting) {
	if r.Params == nil {
		return
	}
	owner := now.known.Layer
	may := floor.loosens(r.Layer) || c.free(r.Layer) || owner != Embedded && r.Layer <= owner
	object, _ := r.Params.Value.(map[string]any) // the reader has checked
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := r.Params.At(name).Pos
		_, held := floor.Params[name]
		if !may || held && !floor.loosens(r.Layer) {
			s.ignore(c, r, at, fmt.Sprintf("params.%s = %.100s", name, param.Text(object[name])))
			continue
		}
		if now.Params == nil {
			now.Params, now.ParamsFrom = map[string]any{}, map[string]From{}
		}
		now.Params[name] = object[name]
		now.ParamsFrom[name] = From{r.Layer, at}
	}
}

// completeParams adds the defaults. Only what a rule requires can be missing.
func (s *Settled) completeParams(ids []string) error {
	for _, id := range ids {
		r := s.rules[id]
		schema := r.known.Params
		if schema == nil {
			continue
		}
		if missing := schema.Missing(r.Params); missing != nil {
			name := missing[0]
			return fmt.Errorf("rule %s needs to be told %s (%s): write rule %q { params = { %s = … } }", id, name, schema.Properties[name].What(), id, name)
		}
		r.Params = schema.Complete(r.Params)
	}
	return nil
}
