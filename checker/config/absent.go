package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// absent returns nil if nothing has the name, and an error if a link has it, or that of
// a folder above, which leads nowhere: a policy that got lost is no missing one.
func absent(name string) error {
	for at := filepath.Clean(name); ; at = filepath.Dir(at) {
		_, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			continue
		case err != nil:
			return fmt.Errorf("cannot inspect %s: %w", hclfile.Escape(at), cause(err))
		}
		if _, err := os.Stat(at); err != nil {
			return fmt.Errorf("%s is a link that can not be followed (%w): put back what it leads to, or remove it", hclfile.Escape(at), cause(err))
		}
		return nil
	}
}
