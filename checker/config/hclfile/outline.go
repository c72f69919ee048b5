package hclfile

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Outline is what stands at the top of a file of HCL, of any language.
type Outline struct {
	Arguments map[string]bool
	Blocks    map[string]bool // true for those that have no label
	// Within are the names that begin lines in these, as BLOCK.NAME.
	Within map[string]bool
	// Broken is what the line begins with that is no argument and no block: a name, a
	// quote or a brace; "" for what is no token.
	Broken string
}

// OutlineOf reads the outline of src, of the file called name: no expression is parsed.
// What ends in the middle is an error, a Diagnostics.
func OutlineOf(name string, src []byte) (Outline, error) {
	o := &outliner{Outline: Outline{Arguments: map[string]bool{}, Blocks: map[string]bool{}, Within: map[string]bool{}}}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos) // what it objects to it marks as invalid, too
	for _, t := range tokens {
		if !o.take(t) {
			o.Broken = o.head
			return o.Outline, Diagnostics{{Start(t.Range), "this is neither a whole argument (NAME = VALUE) nor a whole block (NAME { … })"}}
		}
	}
	return o.Outline, nil
}

// outliner goes through the tokens of a file. head is the name that began the line,
// "" where none has; labels tells of what followed, and body that the rest of the
// line is a value or a block's. block is the one without label that is open, and fresh
// that a line begins in it.
type outliner struct {
	Outline
	head         string
	labels, body bool
	depth        int
	block        string
	fresh        bool
}

var opens = map[hclsyntax.TokenType]int{
	hclsyntax.TokenOBrace: 1, hclsyntax.TokenOBrack: 1, hclsyntax.TokenOParen: 1, hclsyntax.TokenTemplateInterp: 1, hclsyntax.TokenTemplateControl: 1,
	hclsyntax.TokenOHeredoc: 1, hclsyntax.TokenOQuote: 1,
	hclsyntax.TokenCBrace: -1, hclsyntax.TokenCBrack: -1, hclsyntax.TokenCParen: -1, hclsyntax.TokenTemplateSeqEnd: -1,
	hclsyntax.TokenCHeredoc: -1, hclsyntax.TokenCQuote: -1,
}

// take tells whether t can stand where it does.
func (o *outliner) take(t hclsyntax.Token) bool {
	switch {
	case t.Type == hclsyntax.TokenComment && !endsLine(t): // it may stand anywhere
		return true
	case t.Type == hclsyntax.TokenInvalid, t.Type == hclsyntax.TokenBadUTF8:
		return false
	case o.body || o.depth > 0:
		return o.within(t)
	case endsLine(t):
		return o.head == ""
	}
	return o.top(t)
}

func endsLine(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenEOF || t.Type == hclsyntax.TokenComment && bytes.HasSuffix(t.Bytes, []byte("\n"))
}

// top takes the head of a line, and what follows until the value or the block.
func (o *outliner) top(t hclsyntax.Token) bool {
	switch {
	case o.head == "":
		o.head = string(bytes.TrimSpace(t.Bytes))
		return t.Type == hclsyntax.TokenIdent
	case t.Type == hclsyntax.TokenEqual && !o.labels:
		o.Arguments[o.head], o.body = true, true
		return true
	case t.Type == hclsyntax.TokenOBrace:
		o.Blocks[o.head] = o.Blocks[o.head] || !o.labels
		o.body, o.depth = true, 1
		if !o.labels {
			o.block, o.fresh = o.head, true
		}
		return true
	}
	o.labels = true
	o.depth += opens[t.Type]
	return t.Type == hclsyntax.TokenIdent || t.Type == hclsyntax.TokenOQuote
}

// within follows the brackets of a value, of a block or of a label in quotes.
func (o *outliner) within(t hclsyntax.Token) bool {
	if o.block != "" && o.depth == 1 {
		if o.fresh && t.Type == hclsyntax.TokenIdent {
			o.Within[o.block+"."+string(t.Bytes)] = true
		}
		o.fresh = endsLine(t)
	}
	o.depth += opens[t.Type]
	switch {
	case o.depth < 0, t.Type == hclsyntax.TokenEOF && o.depth > 0:
		return false
	case o.depth == 0 && endsLine(t) && o.body:
		o.head, o.labels, o.body, o.block = "", false, false, ""
	}
	return true
}
