package nixfile

// node is a token, or brackets (or let and in) with what stands between them.
type node struct {
	token
	inner []node
}

var closers = map[string]string{"(": ")", "[": "]", "{": "}", "${": "}", "let": "in"}

// parse returns the text as a tree of brackets.
func parse(src string) ([]node, error) {
	l := &lexer{src: src, line: 1}
	stack := []node{{}}
	for {
		t, ok, err := l.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		top := len(stack) - 1
		switch {
		case closers[t.text] != "":
			if len(stack) > maxDepth {
				return nil, errDeep
			}
			stack = append(stack, node{token: t})
		case top > 0 && closers[stack[top].text] == t.text:
			stack[top-1].inner = append(stack[top-1].inner, stack[top])
			stack = stack[:top]
		default:
			stack[top].inner = append(stack[top].inner, node{token: t})
		}
	}
	if len(stack) > 1 {
		return nil, errOpen
	}
	return stack[0].inner, nil
}

// isSet tells whether the node at i is an attribute set, and not the arguments of
// a function.
func isSet(nodes []node, i int) bool {
	if nodes[i].text != "{" {
		return false
	}
	if i+1 < len(nodes) && (nodes[i+1].text == ":" || nodes[i+1].text == "@") {
		return false
	}
	return i == 0 || nodes[i-1].text != "@"
}

// binding is NAME.NAME = value;
type binding struct {
	path  []node
	value []node
}

// bindings splits what stands in a set.
func bindings(nodes []node) []binding {
	var all []binding
	var b binding
	inValue, scopes := false, 0
	for _, n := range nodes {
		switch {
		case n.text == ";" && scopes > 0: // of a with or an assert
			scopes--
			b.value = append(b.value, n)
		case n.text == ";":
			if inValue { // else an inherit
				all = append(all, b)
			}
			b, inValue = binding{}, false
		case inValue:
			if n.text == "with" || n.text == "assert" {
				scopes++
			}
			b.value = append(b.value, n)
		case n.text == "=":
			inValue = true
		default:
			b.path = append(b.path, n)
		}
	}
	return all
}

// elements splits what stands in a list: a.b is one, and so is a.b or c.
func elements(nodes []node) [][]node {
	var all [][]node
	for i, n := range nodes {
		joined := n.text == "." || n.text == "or"
		if i > 0 {
			before := nodes[i-1].text
			joined = joined || before == "." || before == "or" || before == "rec"
		}
		if last := len(all) - 1; joined && last >= 0 {
			all[last] = append(all[last], n)
		} else {
			all = append(all, []node{n})
		}
	}
	return all
}
