package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Digest is the SHA-256 sum, in hexadecimal, of what all files say, in their order
// and with their layers. Where they lie is left out, so that two machines agree.
func (c *Config) Digest() string {
	h := sha256.New()
	for _, f := range c.Files {
		h.Write(append(f.sum[:], byte(f.Layer)))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sum is that of options, which are no text.
func (o Options) sum() (sum [sha256.Size]byte, err error) {
	text, err := json.Marshal(o)
	return sha256.Sum256(text), err
}

// LastDay is the last one on which w counts, YYYY-MM-DD.
func (w Waiver) LastDay() string { return w.Expires.Add(-1).Format(time.DateOnly) }
