package manifest

import (
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// variables are those that are known without starting anything, by name.
type variables map[string]string

// knows tells whether w means the same at each start: text, a leading ~/, and
// known variables. Neither commands nor patterns are, and what could ask the
// host (~user) or grow without bound (braces) is not looked into.
func (v variables) knows(w *syntax.Word) bool {
	for i, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if !plainText(part.Value) || i == 0 && !v.knowsTilde(part.Value) {
				return false
			}
		case *syntax.SglQuoted:
			if part.Dollar {
				return false
			}
		case *syntax.DblQuoted:
			if part.Dollar || !v.knowsQuoted(part.Parts) {
				return false
			}
		case *syntax.ParamExp:
			if !v.knowsParameter(part) || strings.ContainsAny(v[part.Param.Value], "*?[") {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// plainText tells whether unquoted text has neither patterns nor braces, nor a ~
// that bash expands within a word, as in PATH=~/bin:~/sbin.
func plainText(s string) bool {
	return !strings.ContainsAny(s, "*?[{") && !strings.Contains(s, "=~") && !strings.Contains(s, ":~")
}

func (v variables) knowsTilde(text string) bool {
	rest, tilde := strings.CutPrefix(text, "~")
	_, home := v["HOME"]
	return !tilde || home && (rest == "" || rest[0] == '/')
}

func (v variables) knowsQuoted(parts []syntax.WordPart) bool {
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
		case *syntax.ParamExp:
			if !v.knowsParameter(part) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// knowsParameter takes $NAME and ${NAME} only. An unset variable may be set when
// the jail starts, so its default value would say nothing.
func (v variables) knowsParameter(p *syntax.ParamExp) bool {
	if p.Param == nil {
		return false
	}
	_, known := v[p.Param.Value]
	return known && isPlain(p) && p.Exp == nil
}

// isPlain tells whether p has no operator but perhaps those of Exp.
func isPlain(p *syntax.ParamExp) bool {
	return !p.Excl && !p.Length && !p.Width && !p.IsSet && p.Index == nil && p.Slice == nil && p.Repl == nil &&
		p.Names == 0 && p.NestedParam == nil && len(p.Modifiers) == 0
}

// fields expands a known word. Nothing is run, and no directory is read.
func (v variables) fields(w *syntax.Word) ([]string, error) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		pairs = append(pairs, name+"="+v[name])
	}
	return expand.Fields(&expand.Config{Env: expand.ListEnviron(pairs...), NoUnset: true}, w)
}

// alternative returns what ${NAME+TEXT} and ${NAME:+TEXT} stand for when NAME is
// set, if that is all that w is.
func alternative(w *syntax.Word) *syntax.Word {
	if len(w.Parts) != 1 {
		return nil
	}
	p, ok := w.Parts[0].(*syntax.ParamExp)
	if !ok || !isPlain(p) || p.Exp == nil {
		return nil
	}
	if p.Exp.Op != syntax.AlternateUnset && p.Exp.Op != syntax.AlternateUnsetOrNull {
		return nil
	}
	return p.Exp.Word
}

// touched returns the names among v that code may give another value, in this
// shell. What runs in another one does not count.
func (v variables) touched(f *syntax.File) []string {
	var names []string
	passing := map[*syntax.Assign]bool{} // NAME=value COMMAND
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.ParamExp:
			return false
		case *syntax.Assign:
			return !passing[n]
		case *syntax.CallExpr:
			for _, a := range n.Assigns {
				passing[a] = len(n.Args) > 0
			}
			switch callee(n) {
			case "cd", "pushd", "popd":
				names = append(names, "PWD")
			case "eval", "source", ".":
				names = slices.AppendSeq(names, maps.Keys(v))
			}
		case *syntax.Lit:
			if _, ok := v[n.Value]; ok {
				names = append(names, n.Value)
			}
		}
		return true
	})
	return names
}

func callee(c *syntax.CallExpr) string {
	if len(c.Args) == 0 {
		return ""
	}
	name := c.Args[0].Lit()
	if (name == "builtin" || name == "command") && len(c.Args) > 1 {
		return c.Args[1].Lit()
	}
	return name
}
