package opa

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// results is the document that gathers what all rules found, by index in entries.
const (
	resultsPackage = "ocjail.results"
	resultsFile    = "results"
)

// Answer is the query for that document.
const Answer = "data." + resultsPackage + ".found"

// proven are the compiler's stages that only check. The pack passes them when it
// is tested, so a launch with the pack alone leaves them out, which saves a
// millisecond of ten. Other sources get every check.
var proven = []ast.StageID{
	ast.StageCheckKeywordOverrides,
	ast.StageCheckDuplicateImports,
	ast.StageCheckVoidCalls,
	ast.StageCheckRuleConflicts,
	ast.StageCheckUndefinedFuncs,
	ast.StageCheckSafetyRuleHeads,
	ast.StageCheckRecursion,
	ast.StageCheckTypes,
	ast.StageCheckUnsafeBuiltins,
	ast.StageCheckDeprecatedBuiltins,
	ast.StageBuildRequiredCapabilities,
}

func compile(modules []module, entries []entry, skip []ast.StageID) (*ast.Compiler, error) {
	results, err := ast.ParseModuleWithOpts(resultsFile, resultsText(entries), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, fmt.Errorf("gather rules: %w", err)
	}
	byName := map[string]*ast.Module{resultsFile: results}
	for _, m := range modules {
		if byName[m.Name()] != nil {
			return nil, fmt.Errorf("%s is loaded twice: give each source a name of its own", m.Name())
		}
		byName[m.Name()] = m.Module
	}
	c := ast.NewCompiler().WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1).WithSkipStages(skip...)
	if c.Compile(byName); c.Failed() {
		return nil, fmt.Errorf("compile rules (nothing that looks beyond the input can be called; the time is input.now): %w", c.Errors)
	}
	return c, nil
}

// skippable are the stages that these modules do without.
func skippable(modules []module) []ast.StageID {
	if slices.ContainsFunc(modules, func(m module) bool { return !m.Source.Embedded }) {
		return nil
	}
	return proven
}

// resultsText is a module whose document "found" maps a rule's index to its
// findings; an undefined one is missing from it.
func resultsText(entries []entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n", resultsPackage)
	for i, e := range entries {
		fmt.Fprintf(&b, "found[%d] := %s\n", i, e.ref)
	}
	return b.String()
}

// capabilities are OPA's without what makes two evaluations of one input differ.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(c.Builtins, func(b *ast.Builtin) bool { return b.IsNondeterministic() })
	c.AllowNet = []string{}
	return c
}
