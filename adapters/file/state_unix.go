//go:build unix

package file

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// An identity is what a file is called within its file system, and when anything of
// it changed.
type identity struct {
	device, inode uint64
	changed       syscall.Timespec
}

func identityOf(info fs.FileInfo) identity {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{device: uint64(s.Dev), inode: s.Ino, changed: changed(s)}
}

// names is how many names a file has.
func names(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// own gives a new file the owner of the old one.
func own(f *os.File, old fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	want, ok := old.Sys().(*syscall.Stat_t)
	have, also := now.Sys().(*syscall.Stat_t)
	if ok && also && (want.Uid != have.Uid || want.Gid != have.Gid) {
		return f.Chown(int(want.Uid), int(want.Gid))
	}
	return nil
}

// tryLock takes the lock of a file, if nobody has it: flock(2), for this open file.
func tryLock(f *os.File, alone bool) (bool, error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return false, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// syncFolder makes sure that a new name is on the disk.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
