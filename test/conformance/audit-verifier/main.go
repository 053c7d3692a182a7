// Command audit-verifier checks one audit log of Toolgate without anything of Toolgate: the signature of its
// checkpoint, every entry against the tree, every tile against the entries, and proofs for some of them, with the
// packages that Go checks its own module database with.
//
//	go run . -key KEY [-old CHECKPOINT]... LOG
//
// LOG is the directory of one log. Each -old is a checkpoint file from before, which the log has to continue. It prints
// "ok ORIGIN SIZE" and ends with 0, or says what is wrong and ends with 1.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// height is that of the tiles of c2sp.org/tlog-tiles: 256 hashes wide.
const height = 8

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

type paths []string

func (p *paths) String() string        { return strings.Join(*p, " ") }
func (p *paths) Set(path string) error { *p = append(*p, path); return nil }

func main() {
	key := flag.String("key", "", "verifier key, as toolgate audit key prints it")
	var old paths
	flag.Var(&old, "old", "checkpoint from before that the log has to continue")
	flag.Parse()
	if flag.NArg() != 1 || *key == "" {
		flag.Usage()
		os.Exit(2)
	}
	verified, err := verify(flag.Arg(0), *key, old)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok", verified.origin, verified.size)
}

func verify(log, key string, old []string) (checkpoint, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return checkpoint{}, err
	}
	now, err := open(filepath.Join(log, "checkpoint"), verifier)
	if err != nil {
		return now, err
	}
	hashes, err := hashEntries(log, now.size)
	if err != nil {
		return now, err
	}
	root, err := treeHash(now.size, hashes)
	if err != nil {
		return now, err
	}
	if root != now.root {
		return now, fmt.Errorf("the entries have root %v, and %v is signed", root, now.root)
	}
	if err := checkTiles(log, now.size, hashes); err != nil {
		return now, err
	}
	if err := checkProofs(log, now, hashes); err != nil {
		return now, err
	}
	for _, path := range old {
		before, err := open(path, verifier)
		if err != nil {
			return now, err
		}
		if err := checkContinues(before, now, hashes); err != nil {
			return now, fmt.Errorf("%s: %w", path, err)
		}
	}
	return now, nil
}

// open reads a checkpoint, c2sp.org/tlog-checkpoint, signed by the verifier's key.
func open(path string, verifier note.Verifier) (checkpoint, error) {
	message, err := os.ReadFile(path)
	if err != nil {
		return checkpoint{}, err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return checkpoint{}, fmt.Errorf("%s: not three lines", path)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return checkpoint{}, fmt.Errorf("%s: no size: %q", path, lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return checkpoint{}, fmt.Errorf("%s: no root: %q", path, lines[2])
	}
	return checkpoint{lines[0], size, tlog.Hash(*(*[tlog.HashSize]byte)(root))}, nil
}

// stored holds every hash of the tree, in the order in which tlog numbers them.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

// hashEntries makes the tree again from the bundles of entries.
func hashEntries(log string, size int64) (stored, error) {
	var hashes stored
	for start := int64(0); start < size; start += 1 << height {
		width := size - start
		if width > 1<<height {
			width = 1 << height
		}
		entries, err := readBundle(log, start>>height, int(width))
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			more, err := tlog.StoredHashes(start+int64(i), entry, hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
		}
	}
	return hashes, nil
}

// readBundle reads entries that each stand after their length in two bytes.
func readBundle(log string, n int64, width int) ([][]byte, error) {
	path := tilePath(tlog.Tile{H: height, L: -1, N: n, W: width})
	bundle, err := os.ReadFile(filepath.Join(log, path))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(bundle) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if end > len(bundle) {
			break
		}
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	if len(bundle) != 0 || len(entries) != width {
		return nil, fmt.Errorf("%s: not %d entries", path, width)
	}
	return entries, nil
}

// tilePath is that of tlog, without the height and with c2sp.org/tlog-tiles's word for data.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	if tile.L < 0 {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

func treeHash(size int64, hashes tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, hashes)
}

// checkTiles compares every tile that a tree of this size has with what the entries give.
func checkTiles(log string, size int64, hashes tlog.HashReader) error {
	if size == 0 {
		return nil
	}
	for _, tile := range tlog.NewTiles(height, 0, size) {
		wanted, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		actual, err := os.ReadFile(filepath.Join(log, tilePath(tile)))
		if err != nil {
			return err
		}
		if !bytes.Equal(wanted, actual) {
			return fmt.Errorf("%s: not the hashes of the entries", tilePath(tile))
		}
	}
	return nil
}

// tiles reads the tiles of a log for tlog's own reader, which holds them to the signed root.
type tiles struct{ log string }

func (t tiles) Height() int                         { return height }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		var err error
		if data[i], err = os.ReadFile(filepath.Join(t.log, tilePath(tile))); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// checkProofs proves some of the entries from the tiles alone: every one of a small log, and those at the edges.
func checkProofs(log string, now checkpoint, hashes stored) error {
	reader := tlog.TileHashReader(tlog.Tree{N: now.size, Hash: now.root}, tiles{log})
	step := now.size/64 + 1
	for index := int64(0); index < now.size; index += step {
		proof, err := tlog.ProveRecord(now.size, index, reader)
		if err != nil {
			return err
		}
		leaf := hashes[tlog.StoredHashIndex(0, index)]
		if err := tlog.CheckRecord(proof, now.size, now.root, index, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

func checkContinues(before, now checkpoint, hashes tlog.HashReader) error {
	if before.origin != now.origin {
		return fmt.Errorf("that is the log %s", before.origin)
	}
	if before.size == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(now.size, before.size, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, now.size, now.root, before.size, before.root)
}
