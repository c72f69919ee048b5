package hclfile

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Decode parses src, of the file called name, into the struct that into points
// to, by its gohcl tags. Arguments and blocks without a field are errors, with
// a suggestion. The error is a Diagnostics.
func Decode(name string, src []byte, into any) error {
	tokens, diags := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return fromHCL(name, diags)
	}
	if d := literalsOnly(tokens); d != nil {
		return Diagnostics{*d}
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return fromHCL(name, diags)
	}
	if diags := decodeBody(file.Body, reflect.ValueOf(into).Elem()); diags.HasErrors() {
		return fromHCL(name, diags)
	}
	return nil
}

// maxDepth of brackets; the languages need three. HCL's parser recurses, and a
// Go stack that overflows can't be recovered from.
const maxDepth = 16

// depth is what a token adds to the nesting; a token that is not listed is part
// of no literal. Expressions are refused before they are parsed: nested `for`s,
// `1e999999999` as a string and deep parentheses each exhaust memory.
var depth = map[hclsyntax.TokenType]int{
	hclsyntax.TokenOBrace: 1, hclsyntax.TokenCBrace: -1,
	hclsyntax.TokenOBrack: 1, hclsyntax.TokenCBrack: -1,
	hclsyntax.TokenOQuote: 0, hclsyntax.TokenCQuote: 0,
	hclsyntax.TokenQuotedLit: 0, hclsyntax.TokenStringLit: 0,
	hclsyntax.TokenIdent: 0, hclsyntax.TokenEqual: 0,
	hclsyntax.TokenComma: 0, hclsyntax.TokenColon: 0,
	hclsyntax.TokenNewline: 0, hclsyntax.TokenComment: 0, hclsyntax.TokenEOF: 0,
}

// hints say what to write instead of a token that people will try.
var hints = map[hclsyntax.TokenType]string{
	hclsyntax.TokenTemplateInterp:  "nothing is interpolated here: write $${ for the characters ${, and {project} for the project's root",
	hclsyntax.TokenTemplateControl: "nothing is interpolated here: write %%{ for the characters %{",
	hclsyntax.TokenNumberLit:       "write numbers and sizes in quotes",
}

// refused are the names with a meaning of their own in HCL's expressions.
var refused = map[string]string{
	"for":  "for expressions are not supported: write the values out",
	"null": "null is not supported: leave the argument out",
}

// small tells whether a number is whole and of a size that costs nothing.
func small(digits []byte) bool {
	return len(digits) <= 15 && !bytes.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}

func literalsOnly(tokens hclsyntax.Tokens) *Diagnostic {
	level := 0
	for _, t := range tokens {
		step, ok := depth[t.Type]
		level += step
		ok = ok || t.Type == hclsyntax.TokenNumberLit && small(t.Bytes)
		switch {
		case !ok:
			hint, known := hints[t.Type]
			if !known {
				hint = "expressions are not supported: write a quoted string, true, false, a list or a block"
			}
			return &Diagnostic{Start(t.Range), hint}
		case level > maxDepth:
			return &Diagnostic{Start(t.Range), fmt.Sprintf("nested more than %d levels deep", maxDepth)}
		case t.Type == hclsyntax.TokenIdent && refused[string(t.Bytes)] != "":
			return &Diagnostic{Start(t.Range), refused[string(t.Bytes)]}
		}
	}
	return nil
}
