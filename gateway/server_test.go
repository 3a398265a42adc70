package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestServeDrains(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		if r.Context().Err() != nil {
			w.WriteHeader(500)
		}
		io.WriteString(w, "whole")
	})
	ctx, stop := context.WithCancel(context.Background())
	l, admin := listen(t), listen(t)
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, discard, Timing{}, Door{Name: "scim", Listener: l, Handler: slow}, Door{Name: "admin", Listener: admin, Handler: http.NotFoundHandler()})
	}()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		body, _ := io.ReadAll(res.Body)
		got <- res.Status + " " + string(body)
	}()
	<-begun
	stop()
	for i := 0; ; i++ { // the listener closes at once
		if _, err := net.Dial("tcp", l.Addr().String()); err != nil {
			break
		} else if i > 500 {
			t.Fatal("new connections are still taken")
		}
		time.Sleep(10 * time.Millisecond)
	}
	close(finish)
	if s := <-got; s != "200 OK whole" {
		t.Errorf("the request under way got %q", s)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestServeGivesUpDraining(t *testing.T) {
	begun := make(chan struct{})
	stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(begun); <-r.Context().Done() })
	ctx, stop := context.WithCancel(context.Background())
	l := listen(t)
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, discard, Timing{Drain: 50 * time.Millisecond}, Door{Listener: l, Handler: stuck})
	}()
	go http.Get("http://" + l.Addr().String()) //nolint:errcheck // it is cut off
	<-begun
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it does not stop")
	}
}

func TestServeEndsWhenADoorFails(t *testing.T) {
	l := listen(t)
	l.Close()
	err := Serve(context.Background(), discard, Timing{}, Door{Name: "scim", Listener: l}, Door{Name: "admin", Listener: listen(t)})
	if err == nil || !strings.Contains(err.Error(), "scim") {
		t.Errorf("error %v", err)
	}
}

type publicListener struct{ net.Listener }

func (publicListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

func TestPlainHTTPStaysLocal(t *testing.T) {
	l := publicListener{listen(t)}
	err := Serve(context.Background(), discard, Timing{}, Door{Name: "scim", Listener: l})
	if err == nil || !strings.Contains(err.Error(), "plain HTTP") {
		t.Fatalf("error %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
	for name, d := range map[string]Door{
		"allowed": {Listener: publicListener{}, Plain: true},
		"TLS":     {Listener: publicListener{}, TLS: &tls.Config{}},
	} {
		if err := d.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if isLocal(&net.TCPAddr{IP: net.IPv6zero}) || !isLocal(&net.TCPAddr{IP: net.IPv6loopback}) || !isLocal(&net.UnixAddr{}) {
		t.Error("isLocal")
	}
}

func certFiles(t *testing.T, dir, name string) (certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLS(t *testing.T) {
	certFile, keyFile := certFiles(t, t.TempDir(), "one.example")
	config, err := TLSConfig(certFile, keyFile, discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l := listen(t)
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, discard, Timing{}, Door{Listener: l, Handler: http.NotFoundHandler(), TLS: config})
	}()
	for version, works := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} { // T-01
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{MinVersion: version, MaxVersion: version, InsecureSkipVerify: true})
		if (err == nil) != works {
			t.Errorf("T-01: version %x: %v", version, err)
		}
		if err == nil {
			c.Close()
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := certFiles(t, dir, "one.example")
	var log safeBuffer
	c := &certificate{certFile: certFile, keyFile: keyFile, log: textLogger(&log)}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	name := func() string {
		c.looked = time.Time{} // as if the last look were long ago
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.Subject.CommonName
	}
	if name() != "one.example" {
		t.Fatal("not the first certificate")
	}
	certFiles(t, dir, "two.example")
	later := time.Now().Add(time.Minute)
	os.Chtimes(certFile, later, later)
	if got := name(); got != "two.example" {
		t.Errorf("the certificate is still %s", got)
	}
	os.WriteFile(certFile, []byte("half-writ"), 0o600)
	if got := name(); got != "two.example" || !strings.Contains(log.String(), "not renewed") {
		t.Errorf("certificate %s, log %s", got, log.String())
	}
	if _, err := TLSConfig(certFile, keyFile, discard); err == nil {
		t.Error("a broken certificate was taken at start")
	}
}
