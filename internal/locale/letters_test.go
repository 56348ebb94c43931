package locale_test

import (
	"strings"
	"testing"
)

// Letters that a neighbour writes in another form are easily mixed up, and a script alone does not tell them apart:
// simplified and traditional Chinese, and the commas of Romanian with the cedillas of Turkish.
func TestLettersAreThoseOfTheLanguage(t *testing.T) {
	const simplified, traditional = "码验证请输邮账号创录设确认谁时钟将后会现员给组变无", "碼驗證請輸郵賬號創錄設確認誰時鐘將後會現員給組變無"
	c := open(t)
	for _, test := range []struct{ tag, own, others string }{
		{"zh-Hans", simplified, traditional},
		{"zh-Hant", traditional, simplified},
		{"ro", "șț", "şţ"},
		{"tr", "ş", "șț"},
	} {
		l := c.Match(test.tag)
		for _, key := range l.Keys() {
			for _, r := range l.Text(key) {
				if strings.ContainsRune(test.others, r) && !strings.ContainsRune(test.own, r) {
					t.Errorf("%s: %s holds %q, which is not a letter of this language", l, key, r)
				}
			}
		}
	}
}
