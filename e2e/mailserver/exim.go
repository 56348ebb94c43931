//go:build unix

package mailserver

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// account is the system user that the mail server works as: the one who runs the test, or Debian's own when that is
// root, since exim never delivers as root.
type account struct {
	user, group string
	uid, gid    int
}

func findExim(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"exim4", "/usr/sbin/exim4"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("the mail server exim4 is missing: install the Debian package exim4-daemon-light, or run scripts/test-needs.sh")
	return ""
}

func workAs(t testing.TB) account {
	t.Helper()
	name := "Debian-exim"
	if os.Getuid() != 0 {
		me, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		name = me.Username
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("the mail server's user is missing: %v; install the Debian package exim4-daemon-light", err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	a := account{user: u.Username, group: g.Name}
	if _, err := fmt.Sscan(u.Uid+" "+u.Gid, &a.uid, &a.gid); err != nil {
		t.Fatal(err)
	}
	return a
}

// configuration is a whole exim configuration: submission with a login inside TLS, delivery of two domains to one
// Maildir, no relaying. One Maildir, because exim takes no folder's name from a stranger; Envelope-To tells whose a
// mail is. %[1]s is the folder everything lives in.
const configuration = `
primary_hostname = mail.example.test
spool_directory = %[1]s/spool
log_file_path = %[1]s/log/%%s
pid_file_path = %[1]s/exim.pid
exim_user = %[2]s
exim_group = %[3]s
deliver_drop_privilege = true
keep_environment =
add_environment = PATH=/usr/bin:/bin
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_queue_per_connection = 0
message_size_limit = 30M
check_spool_space = 0
check_spool_inodes = 0
acl_smtp_mail = need_login
acl_smtp_rcpt = recipients
acl_smtp_data = accept
tls_advertise_hosts = *
tls_certificate = %[1]s/certificate.pem
tls_privatekey = %[1]s/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
domainlist local_domains = %[4]s

begin acl

need_login:
  deny !authenticated = *
       message = 5.7.0 authentication required
  accept

recipients:
  deny domains = +local_domains
       local_parts = %[5]s
       message = 5.1.1 no such user here
  accept domains = +local_domains
  deny message = 5.7.1 relaying denied

begin routers

local:
  driver = accept
  domains = +local_domains
  transport = maildir

begin transports

maildir:
  driver = appendfile
  directory = %[1]s/mail
  maildir_format
  create_directory
  directory_mode = 0755
  mode = 0644
  user = %[2]s
  group = %[3]s
  delivery_date_add
  envelope_to_add
  return_path_add

begin retry

* * F,1m,1s

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{%[6]s}}{eq{$auth3}{%[7]s}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{%[6]s}}{eq{$auth2}{%[7]s}}}}
  server_set_id = $auth1
`

// writeFolder fills the folder of one server and gives it to the account it works as.
func (s *Server) writeFolder(t testing.TB, certificate, key []byte) {
	t.Helper()
	for _, d := range []string{"spool", "log", "mail"} {
		if err := os.MkdirAll(filepath.Join(s.folder, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf(configuration, s.folder, s.as.user, s.as.group, strings.Join(Domains(), " : "),
		UnknownUser, s.User, s.Password)
	// Exim starts itself again to deliver, as the account, and reads the configuration anew.
	for _, f := range []struct {
		name    string
		content []byte
		mode    os.FileMode
	}{{"certificate.pem", certificate, 0o600}, {"key.pem", key, 0o600}, {"exim.conf", []byte(config), 0o644}} {
		if err := os.WriteFile(filepath.Join(s.folder, f.name), f.content, f.mode); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		s.giveAway(t)
	}
}

// giveAway makes everything but the configuration, which exim wants to see owned by root, the account's.
func (s *Server) giveAway(t testing.TB) {
	t.Helper()
	for _, name := range []string{"", "spool", "log", "mail", "certificate.pem", "key.pem"} {
		if err := os.Chown(filepath.Join(s.folder, name), s.as.uid, s.as.gid); err != nil {
			t.Fatal(err)
		}
	}
}
