package store

import (
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/registry"
)

var _ registry.Store = (*DB)(nil)

// documentContext binds a sealed body to the document it is of.
func documentContext(tenant string, kind registry.Kind, name string) string {
	return "document " + tenant + " " + string(kind) + " " + name
}

// Documents implements registry.Store.
func (db *DB) Documents(ctx context.Context, tenant string) (documents []registry.Document, revision int64, err error) {
	err = db.read(ctx, func(t *tx) error {
		documents, revision = nil, 0
		if _, err := t.one(`SELECT revision FROM document_revisions WHERE tenant = $1`, []any{tenant}, &revision); err != nil {
			return err
		}
		return t.query(ctx, `SELECT kind, name, body, version, updated_at FROM documents WHERE tenant = $1 ORDER BY kind, name`,
			[]any{tenant}, func(scan func(...any) error) error {
				var d registry.Document
				var kind string
				var sealed []byte
				var updated int64
				if err := scan(&kind, &d.Name, &sealed, &d.Version, &updated); err != nil {
					return err
				}
				d.Kind, d.UpdatedAt = registry.Kind(kind), fromMillis(updated)
				documents = append(documents, d)
				return db.openDocument(tenant, &documents[len(documents)-1], sealed)
			})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read settings: %w", err)
	}
	return documents, revision, nil
}

func (db *DB) openDocument(tenant string, d *registry.Document, sealed []byte) (err error) {
	if d.Body, err = db.sealer.Open(sealed, documentContext(tenant, d.Kind, d.Name)); err != nil {
		return fmt.Errorf("open %s %s: %w", d.Kind, d.Name, err)
	}
	return nil
}

// ChangeDocuments implements registry.Store.
func (db *DB) ChangeDocuments(ctx context.Context, tenant string, base int64, write, remove []registry.Document, by string, now time.Time) error {
	sealed := make([][]byte, len(write))
	for i, d := range write {
		var err error
		if sealed[i], err = db.sealer.Seal(d.Body, documentContext(tenant, d.Kind, d.Name)); err != nil {
			return fmt.Errorf("seal %s %s: %w", d.Kind, d.Name, err)
		}
	}
	err := db.transact(ctx, func(t *tx) error {
		if err := raise(t, tenant, base); err != nil {
			return err
		}
		for i, d := range write {
			if err := keepPast(t, tenant, d, by, now); err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO documents (tenant, kind, name, body, version, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (tenant, kind, name) DO UPDATE SET body = excluded.body, version = excluded.version, updated_at = excluded.updated_at`,
				tenant, string(d.Kind), d.Name, sealed[i], d.Version, millis(d.UpdatedAt)); err != nil {
				return err
			}
		}
		for _, d := range remove {
			if err := keepPast(t, tenant, d, by, now); err != nil {
				return err
			}
			if _, err := t.exec(`DELETE FROM documents WHERE tenant = $1 AND kind = $2 AND name = $3`, tenant, string(d.Kind), d.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("change settings: %w", err)
	}
	return nil
}

// raise takes the revision from base to the next, which only one transaction can do.
func raise(t *tx, tenant string, base int64) error {
	sql := `UPDATE document_revisions SET revision = revision + 1 WHERE tenant = $1 AND revision = $2`
	if base == 0 {
		sql = `INSERT INTO document_revisions (tenant, revision) SELECT $1, $2 + 1 ON CONFLICT (tenant) DO NOTHING`
	}
	n, err := t.exec(sql, tenant, base)
	if err == nil && n != 1 {
		return registry.ErrChanged
	}
	return err
}

// keepPast copies what is about to be replaced into the history, and forgets what is too old there.
func keepPast(t *tx, tenant string, d registry.Document, by string, now time.Time) error {
	_, err := t.exec(`INSERT INTO document_history (tenant, kind, name, body, version, updated_at, replaced_at, replaced_by)
		SELECT tenant, kind, name, body, version, updated_at, $4, $5 FROM documents WHERE tenant = $1 AND kind = $2 AND name = $3`,
		tenant, string(d.Kind), d.Name, millis(now), by)
	if err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM document_history WHERE tenant = $1 AND kind = $2 AND name = $3 AND version <=
		(SELECT version FROM document_history WHERE tenant = $1 AND kind = $2 AND name = $3 ORDER BY version DESC LIMIT 1 OFFSET $4)`,
		tenant, string(d.Kind), d.Name, registry.KeptPast)
	return err
}

// Revision implements registry.Store.
func (db *DB) Revision(ctx context.Context, tenant string) (revision int64, err error) {
	err = db.look(ctx, func(t *tx) error {
		revision = 0
		_, err := t.one(`SELECT revision FROM document_revisions WHERE tenant = $1`, []any{tenant}, &revision)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read revision of settings: %w", err)
	}
	return revision, nil
}

// History implements registry.Store.
func (db *DB) History(ctx context.Context, tenant string, kind registry.Kind, name string, n int) (past []registry.Past, err error) {
	err = db.look(ctx, func(t *tx) error {
		past = nil
		return t.query(ctx, `SELECT body, version, updated_at, replaced_at, replaced_by FROM document_history
			WHERE tenant = $1 AND kind = $2 AND name = $3 ORDER BY version DESC LIMIT $4`,
			[]any{tenant, string(kind), name, n}, func(scan func(...any) error) error {
				p := registry.Past{Document: registry.Document{Kind: kind, Name: name}}
				var sealed []byte
				var updated, replaced int64
				if err := scan(&sealed, &p.Version, &updated, &replaced, &p.ReplacedBy); err != nil {
					return err
				}
				p.UpdatedAt, p.ReplacedAt = fromMillis(updated), fromMillis(replaced)
				if err := db.openDocument(tenant, &p.Document, sealed); err != nil {
					return err
				}
				past = append(past, p)
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("read history of settings: %w", err)
	}
	return past, nil
}

// Conversion implements registry.Store.
func (db *DB) Conversion(ctx context.Context, tenant string, digits int, from, until time.Time) (counts map[string]registry.Converted, err error) {
	err = db.look(ctx, func(t *tx) error {
		counts = map[string]registry.Converted{}
		return t.query(ctx, `SELECT SUBSTR(identifier, 1, $4), COUNT(*), SUM(CASE WHEN state = 'verified' THEN 1 ELSE 0 END)
			FROM challenges WHERE channel = 'sms' AND created_at >= $2 AND created_at < $3 AND tenant = $1
			GROUP BY SUBSTR(identifier, 1, $4)`,
			[]any{tenant, millis(from), millis(until), digits + 1}, func(scan func(...any) error) error {
				var prefix string
				var c registry.Converted
				err := scan(&prefix, &c.Sent, &c.Verified)
				counts[prefix] = c
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("count verified passcodes: %w", err)
	}
	return counts, nil
}
