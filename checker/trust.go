package checker

import (
	"fmt"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// untouchable makes sure that the jail can write nothing that the verdict hangs on.
// It is no finding: what the agent may have written could have switched it off.
func (c *Checker) untouchable(j *Jail) error {
	for _, f := range c.config.Files {
		if f.Layer == config.Project {
			continue
		}
		for _, p := range f.Places {
			if err := j.outOfReach(p, "the configuration file "+p); err != nil {
				return err
			}
		}
		for _, p := range f.Policies {
			_, file, err := open(p, Where{Home: j.Facts.Home, Project: j.Facts.ProjectRoot})
			if err == nil {
				file, err = filepath.EvalSymlinks(file)
			}
			if err == nil {
				err = j.outOfReach(file, fmt.Sprintf("policy %q of %s, %s,", p.Name, p.Pos, file))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *Jail) outOfReach(p, what string) error {
	if way := j.Tree.Widest(p); way.Access.Writes() {
		return fmt.Errorf("%s can be written in the jail as %s, and so may be the agent's: keep it where no jail can write, such as %s",
			what, way.Inside, j.Facts.ConfigDir)
	}
	return nil
}
