package config

import "testing"

func TestEveryFieldIsDescribed(t *testing.T) {
	var check func(in string, fields []Field)
	check = func(in string, fields []Field) {
		for _, f := range fields {
			if f.Doc == "" || f.Doc[len(f.Doc)-1] != '.' {
				t.Errorf("%s%s: write what it does in its doc tag, in sentences", in, f.Name)
			}
			if f.Kind == "block" && len(f.Fields) == 0 {
				t.Errorf("%s%s: a block without arguments", in, f.Name)
			}
			check(in+f.Name+".", f.Fields)
		}
	}
	check("", Reference())
}
