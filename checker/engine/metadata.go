package engine

import (
	"errors"
	"fmt"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// texts are what a compiled pack keeps of a rule, in order.
func (r *Rule) texts() []*string {
	return []*string{&r.ID, &r.Title, (*string)(&r.Severity), &r.Description, &r.Remedy, &r.URL}
}

func (x *Example) texts() []*string { return []*string{&x.Bwrap, &x.Given, &x.Setup} }

// RulesValue is what a compiled pack keeps of its rules.
func RulesValue(rules []Rule) plan.Value {
	list := make([]plan.Value, len(rules))
	for i := range rules {
		list[i] = plan.NewArray(append(values(rules[i].texts()), exampleValue(rules[i].Avoid), exampleValue(rules[i].Prefer), paramsValue(rules[i].Params))...)
	}
	return plan.NewArray(list...)
}

// paramsValue is the JSON of a schema.
func paramsValue(s *param.Schema) plan.Value {
	if s == nil {
		return plan.Null{}
	}
	return plan.String(param.Text(s))
}

func readParams(v plan.Value, into **param.Schema) bool {
	text, ok := v.(plan.String)
	if !ok {
		return v == plan.Null{}
	}
	var err error
	*into, err = param.Parse([]byte(text))
	return err == nil
}

func values(texts []*string) []plan.Value {
	v := make([]plan.Value, len(texts))
	for i, t := range texts {
		v[i] = plan.String(*t)
	}
	return v
}

func exampleValue(x *Example) plan.Value {
	if x == nil {
		return plan.Null{}
	}
	return plan.NewArray(values(x.texts())...)
}

// readRules is the reverse of RulesValue.
func readRules(v plan.Value) ([]Rule, error) {
	list, _ := plan.Elements(v)
	if len(list) == 0 {
		return nil, errors.New("no rule in the compiled pack")
	}
	rules := make([]Rule, len(list))
	for i, each := range list {
		r := &rules[i]
		elems, _ := plan.Elements(each)
		texts := r.texts()
		n := len(texts)
		if len(elems) != n+3 || !read(elems[:n], texts) || !readExample(elems[n], &r.Avoid) || !readExample(elems[n+1], &r.Prefer) || !readParams(elems[n+2], &r.Params) {
			return nil, fmt.Errorf("rule %d of the compiled pack is broken", i)
		}
	}
	return rules, nil
}

func read(elems []plan.Value, into []*string) bool {
	for i, e := range elems {
		text, ok := e.(plan.String)
		if !ok {
			return false
		}
		*into[i] = string(text)
	}
	return len(elems) == len(into)
}

func readExample(v plan.Value, into **Example) bool {
	if v == (plan.Null{}) {
		return true
	}
	*into = &Example{}
	elems, ok := plan.Elements(v)
	return ok && read(elems, (*into).texts())
}
