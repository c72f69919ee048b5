package report

import (
	"cmp"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// The parts of SARIF that are written, in the words of its schema.
type (
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		Kind         string             `json:"kind,omitempty"` // "fail" when absent
		Level        string             `json:"level"`
		Message      sarifMessage       `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions"` // empty for what counts, never absent
		Properties   map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifFile   `json:"artifactLocation"`
		Region   sarifRegion `json:"region"`
	}
	sarifFile struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		Line int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		URL     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string         `json:"id"`
		Name       string         `json:"name"`
		Short      sarifMessage   `json:"shortDescription"`
		Full       *sarifMessage  `json:"fullDescription,omitempty"`
		Help       sarifHelp      `json:"help"`
		HelpURI    string         `json:"helpUri,omitempty"`
		Default    sarifDefault   `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
)

var sarifLevel = map[finding.Severity]string{finding.Error: "error", finding.Warning: "warning", finding.Info: "note"}

// securitySeverity is what GitHub ranks alerts by: 7 and more is high, 4 medium.
var securitySeverity = map[finding.Severity]string{finding.Error: "8.0", finding.Warning: "5.0", finding.Info: "2.0"}

// sarifText: {0} is a placeholder in a message, and [x](1) a link (SARIF 2.1.0,
// sections 3.11.5 and 3.11.6). Other braces stay single though the former would
// have them doubled: viewers show them as they stand, and remedies are copied.
func sarifText(s string) sarifMessage {
	s = strings.ReplaceAll(Escape(s), "](", `\](`)
	var b strings.Builder
	for i, r := range s {
		if r == '{' && i+1 < len(s) && '0' <= s[i+1] && s[i+1] <= '9' {
			b.WriteByte('{')
		}
		b.WriteRune(r)
	}
	return sarifMessage{b.String()}
}

// configurationPage is where a rule's page in another program's window leads.
const configurationPage = "https://github.com/refnil/opencode-jail-devenv/blob/main/docs/configuration.md"

func newSARIFRule(r engine.Rule) (sarifRule, error) {
	var page, text strings.Builder
	if err := rulePage(&page, r, configurationPage); err != nil {
		return sarifRule{}, err
	}
	if err := (&printer{w: &text}).rulePage(r); err != nil {
		return sarifRule{}, err
	}
	category, _, _ := strings.Cut(r.ID, "/")
	rule := sarifRule{
		ID: r.ID, Name: camel(r.ID), Short: sarifText(cmp.Or(r.Title, r.ID)), Help: sarifHelp{text.String(), page.String()}, Default: sarifDefault{sarifLevel[r.Severity]},
		Properties: map[string]any{"tags": []string{"security", category}, "security-severity": securitySeverity[r.Severity], "precision": "high"},
	}
	if r.Description != "" {
		full := sarifText(r.Description)
		rule.Full = &full
	}
	if u, err := url.Parse(r.URL); err == nil && u.IsAbs() {
		rule.HelpURI = u.String()
	}
	return rule, nil
}

// camel makes FsRwOutsideHome of fs/rw-outside-home.
func camel(id string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(id, func(r rune) bool { return r == '/' || r == '-' || r == '_' || r == '.' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// sarifArtifact names a file, below the root without it.
func sarifArtifact(file, root string) sarifFile {
	name := relative(file, root)
	if filepath.IsAbs(name) {
		return sarifFile{URI: (&url.URL{Scheme: "file", Path: name}).String()}
	}
	return sarifFile{URI: (&url.URL{Path: filepath.ToSlash(name)}).String(), Base: sourceRoot}
}

// relative is a name as seen from root, where it lies below it.
func relative(name, root string) string {
	if !filepath.IsAbs(name) || root == "" {
		return name
	}
	if rel, err := filepath.Rel(root, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}
