//go:build !unix

package file

import (
	"io/fs"
	"os"
)

// Where there is no more to be known of a file, its size and its time tell.
type identity struct{}

func identityOf(fs.FileInfo) identity { return identity{} }

func names(fs.FileInfo) uint64 { return 1 }

func own(*os.File, fs.FileInfo) error { return nil }

// Where there is no flock, one process must have the files for itself.
func tryLock(*os.File, bool) (bool, error) { return true, nil }

func syncFolder(string) error { return nil }
