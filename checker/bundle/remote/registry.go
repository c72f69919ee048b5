package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	orasremote "oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// artifactType says what an OCI artifact of ours is.
const artifactType = "application/vnd.ocjail.bundle.v1"

// layerType is that of the archive, which OPA looks for as well
// (https://www.openpolicyagent.org/docs/management-bundles#oci).
const layerType = ocispec.MediaTypeImageLayerGzip

// maxManifest bounds an OCI manifest, in bytes.
const maxManifest = 1 << 20

// repository is a registry's, with the credentials that the Docker configuration has
// for its host, or one of the helpers that it names.
func (c *Client) repository(s bundle.Source) (*orasremote.Repository, func(), error) {
	keys, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("the Docker configuration, for credentials: %w: mend it", err)
	}
	t := c.transport(s)
	client := &auth.Client{
		Client:     &http.Client{Transport: c.counted(t), CheckRedirect: blobsElsewhere(s)},
		Header:     http.Header{"User-Agent": {c.agent()}},
		Credential: credentials.Credential(keys), Cache: auth.NewCache(),
	}
	if s.Local() {
		client.BlockedRealmPrefixes = []netip.Prefix{}
	}
	return &orasremote.Repository{
		Client: client, PlainHTTP: s.Local(), MaxMetadataBytes: maxManifest,
		Reference: registry.Reference{Registry: s.Host, Repository: s.Repository, Reference: s.Reference()},
	}, t.CloseIdleConnections, nil
}

// isBlob tells whether a path of the registry's is that of a blob.
func isBlob(p string, s bundle.Source) bool {
	return strings.HasPrefix(p, "/v2/"+s.Repository+"/blobs/sha256:")
}

// pull gets a bundle from a registry. The mark is the manifest's digest, or, where a
// lock and no digest in the source says which archive it is to be, that one's.
func (c *Client) pull(ctx context.Context, s bundle.Source, w Wanted) (*Fetched, error) {
	repository, done, err := c.repository(s)
	if err != nil {
		return nil, err
	}
	defer done()
	if w.Digest != "" && s.Digest == "" {
		return pullBlob(ctx, repository.Blobs(), w)
	}
	at, err := repository.Resolve(ctx, s.Reference())
	if err != nil {
		return nil, registryError(err)
	}
	if string(at.Digest) == w.Mark {
		return &Fetched{Mark: w.Mark}, nil
	}
	if at.MediaType != ocispec.MediaTypeImageManifest || at.Size > maxManifest {
		return nil, fmt.Errorf("it has a %.60q of %d bytes there, and no bundle that ocjail bundle push put there", at.MediaType, at.Size)
	}
	text, err := content.FetchAll(ctx, repository, at)
	if err != nil {
		return nil, registryError(err)
	}
	layer, err := bundleLayer(text)
	if err != nil {
		return nil, err
	}
	archive, err := content.FetchAll(ctx, repository, layer)
	if err != nil {
		return nil, registryError(err)
	}
	return &Fetched{Archive: archive, Mark: string(at.Digest)}, nil
}

// pullBlob gets an archive by its own digest, whatever the tag names by now.
func pullBlob(ctx context.Context, blobs registry.BlobStore, w Wanted) (*Fetched, error) {
	if w.Mark == w.Digest { // it is here: see whether it is there
		if _, err := blobs.Resolve(ctx, w.Digest); err != nil {
			return nil, registryError(err)
		}
		return &Fetched{Mark: w.Mark}, nil
	}
	_, body, err := blobs.FetchReference(ctx, w.Digest)
	if err != nil {
		return nil, registryError(err)
	}
	defer body.Close()
	archive, err := atMost(body, bundle.MaxArchive)
	if err == nil {
		err = ctx.Err()
	}
	return &Fetched{Archive: archive, Mark: w.Digest}, err
}

// bundleLayer is the one layer of a manifest that can be a bundle.
func bundleLayer(text []byte) (ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("its manifest can not be read: %w", err)
	}
	if len(m.Layers) != 1 || m.Layers[0].MediaType != layerType {
		return ocispec.Descriptor{}, fmt.Errorf("it is no bundle, which has one layer of the type %s: push one with ocjail bundle push", layerType)
	}
	layer := m.Layers[0]
	switch {
	case layer.Digest.Validate() != nil || layer.Digest.Algorithm() != digest.SHA256:
		return layer, errors.New("its layer is not named by a SHA-256: push it with ocjail bundle push")
	case layer.Size < 0 || layer.Size > bundle.MaxArchive:
		return layer, errTooLarge
	}
	return ocispec.Descriptor{MediaType: layer.MediaType, Digest: layer.Digest, Size: layer.Size}, nil
}

// Push puts a bundle where a source is, an oci:// one with a tag, and returns the
// digest of the manifest. Equal bundles have equal manifests.
func (c *Client) Push(ctx context.Context, s bundle.Source, archive []byte, m bundle.Manifest) (string, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	pushed, err := c.push(ctx, s, archive, m)
	if err != nil {
		return "", explain(ctx, s, err)
	}
	return pushed, nil
}

func (c *Client) push(ctx context.Context, s bundle.Source, archive []byte, m bundle.Manifest) (string, error) {
	repository, done, err := c.repository(s)
	if err != nil {
		return "", err
	}
	defer done()
	layer := content.NewDescriptorFromBytes(layerType, archive)
	known, err := repository.Exists(ctx, layer)
	if err == nil && !known {
		err = repository.Push(ctx, layer, bytes.NewReader(archive))
	}
	if err != nil {
		return "", registryError(err)
	}
	layer.Annotations = map[string]string{ocispec.AnnotationTitle: path.Base(s.Repository) + ".tar.gz"}
	manifest, err := oras.PackManifest(ctx, repository, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		Layers: []ocispec.Descriptor{layer},
		ManifestAnnotations: map[string]string{
			ocispec.AnnotationCreated: m.Created.UTC().Format(time.RFC3339), ocispec.AnnotationVersion: m.Revision.String(),
		},
	})
	if err == nil {
		err = repository.Tag(ctx, manifest, s.Tag)
	}
	if err != nil {
		return "", registryError(err)
	}
	return string(manifest.Digest), nil
}

// registryError makes one line of what a registry answers.
func registryError(err error) error {
	var answer *errcode.ErrorResponse
	switch {
	case errors.As(err, &answer):
		why := http.StatusText(answer.StatusCode)
		if len(answer.Errors) > 0 {
			why = strings.TrimSpace(answer.Errors[0].Error())
		}
		return &statusError{answer.StatusCode, fmt.Sprintf("it answers %d %.200q", answer.StatusCode, why)}
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: install that helper, or link it, in one of %s, or take it out of the Docker configuration (credsStore and credHelpers of ~/.docker/config.json), or name a folder whose config.json has the credentials themselves with --docker-config", err, os.Getenv("PATH"))
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return &statusError{http.StatusUnauthorized, "it answers 401, and the Docker configuration has no credentials for it"}
	case errors.Is(err, errdef.ErrNotFound):
		return &statusError{http.StatusNotFound, "it answers 404"}
	}
	return withoutURL(err)
}
