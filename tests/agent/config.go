package agent

import "encoding/json"

// userInstructions is a file of the user's, below the home.
const userInstructions = ".config/opencode/house.md"

// agentConfig is the opencode.json of a world: the scripted model for every
// purpose, everything allowed without asking, so that only the jail stands
// between the model and the machine, and nothing fetched.
func agentConfig(modelURL string) (string, error) {
	b, err := json.MarshalIndent(map[string]any{
		"$schema":     "https://opencode.ai/config.json",
		"model":       "scripted/model",
		"small_model": "scripted/model",
		"autoupdate":  false,
		"share":       "disabled",
		"snapshot":    false,
		"lsp":         false,
		"formatter":   false,
		// The user's own must stay beside what ocjail adds.
		"instructions": []string{"~/" + userInstructions},
		"permission":   map[string]any{"*": "allow", "external_directory": "allow"},
		"provider": map[string]any{"scripted": map[string]any{
			"npm":     "@ai-sdk/openai-compatible",
			"name":    "Scripted",
			"options": map[string]any{"baseURL": modelURL, "apiKey": "none"},
			"models":  map[string]any{"model": map[string]any{"name": "Model"}},
		}},
	}, "", "  ")
	return string(b), err
}

// offline keeps opencode from fetching its model list, plugins and language
// servers. A session works without a network also where a jail drops these
// variables; with one it would only be slower.
var offline = []string{
	"OPENCODE_DISABLE_MODELS_FETCH=1",
	"OPENCODE_DISABLE_AUTOUPDATE=1",
	"OPENCODE_DISABLE_LSP_DOWNLOAD=1",
	"OPENCODE_DISABLE_DEFAULT_PLUGINS=1",
}
