package wasm

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"unsafe"

	"github.com/tetratelabs/wazero"

	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
)

// compiled is the native code of modules, as wazero's engine asks for it. wazero's
// own cache, a folder, trusts whatever lies in it.
type compiled struct {
	cache *cache.Cache
	maker string
	note  func(string)
}

// nativeKind begins the names of native code in the cache.
const nativeKind = "native"

// leastKept is the size of native code that is read sooner than compiled, in bytes.
const leastKept = 4 << 10

// fileCache is wazero's internal/filecache.Cache.
type fileCache interface {
	Get(key [sha256.Size]byte) (content io.ReadCloser, ok bool, err error)
	Add(key [sha256.Size]byte, content io.Reader) error
	Delete(key [sha256.Size]byte) error
}

// compilationCache has wazero keep native code in c.
func compilationCache(c *cache.Cache, note func(string)) (wazero.CompilationCache, error) {
	maker, err := nativeMaker()
	if err != nil {
		return nil, err
	}
	return keeping(&compiled{c, maker, note})
}

// keeping has wazero keep native code in ours. It has no way to be given a cache of
// another's, so its field is set; should a version of wazero have none such, that is
// an error, and rules are compiled each time.
func keeping(ours fileCache) (wazero.CompilationCache, error) {
	all := wazero.NewCompilationCache()
	field := reflect.ValueOf(all).Elem().FieldByName("fileCache")
	if !field.IsValid() || field.Kind() != reflect.Interface || !reflect.TypeOf(ours).Implements(field.Type()) {
		return nil, errors.New("this wazero takes no cache for native code")
	}
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(ours))
	return all, nil
}

// nativeMaker is what decides over the code that comes of a module, besides it and
// the processor's features, which wazero has in its key.
var nativeMaker = sync.OnceValues(func() (string, error) {
	const path = "github.com/tetratelabs/wazero"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("this program does not say what it was built from")
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == path })
	if i < 0 || info.Deps[i].Replace != nil {
		return "", errors.New("this program does not say which wazero is in it")
	}
	return fmt.Sprintf("wazero %s %s %s %s/%s %d", info.Deps[i].Version, info.Deps[i].Sum, runtime.Version(), runtime.GOOS, runtime.GOARCH, maxPages), nil
})

func (c *compiled) entry(key [sha256.Size]byte) cache.Entry {
	return cache.Entry{Kind: nativeKind, Maker: c.maker, ID: key}
}

// Get is called by wazero. What is in the cache and can not be had is compiled.
func (c *compiled) Get(key [sha256.Size]byte) (io.ReadCloser, bool, error) {
	code, err := c.cache.Get(c.entry(key))
	switch {
	case err == nil:
		return io.NopCloser(bytes.NewReader(code)), true, nil
	case !errors.Is(err, fs.ErrNotExist):
		c.note(err.Error())
	}
	return nil, false, nil
}

// Add is called by wazero.
func (c *compiled) Add(key [sha256.Size]byte, content io.Reader) error {
	code, err := io.ReadAll(content)
	if err == nil && len(code) >= leastKept {
		err = c.cache.Put(c.entry(key), code)
	}
	if err != nil { // it is compiled, which is what counts
		c.note(err.Error())
	}
	return nil
}

// Delete is called by wazero for code of another version of it, which the entry's
// maker rules out.
func (c *compiled) Delete([sha256.Size]byte) error { return nil }
