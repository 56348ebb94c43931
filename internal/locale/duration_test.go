package locale_test

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	c := open(t)
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, test := range []struct {
		tag  string
		d    time.Duration
		want string
	}{
		{"en", 0, "0 seconds"}, {"en", -m, "0 seconds"}, {"en", 1 * s, "1 second"}, {"en", 30 * s, "30 seconds"},
		{"en", 1 * m, "1 minute"}, {"en", 90 * s, "90 seconds"}, {"en", 119 * s, "119 seconds"}, {"en", 2 * m, "2 minutes"},
		{"en", 150 * s, "2 minutes"}, {"en", 10 * m, "10 minutes"}, {"en", 10*m - 1, "9 minutes"}, {"en", 60 * m, "1 hour"},
		{"en", 90 * m, "90 minutes"}, {"en", 119 * m, "119 minutes"}, {"en", 2 * h, "2 hours"},
		{"en", 150 * m, "2 hours 30 minutes"}, {"en", 121 * m, "2 hours 1 minute"}, {"en", 24 * h, "24 hours"}, {"en", 1000 * h, "1000 hours"},
		{"fr", 1 * h, "1 heure"}, {"fr", 10 * m, "10 minutes"}, {"fr", 1 * s, "1 seconde"}, {"fr", 0, "0 seconde"},
		{"fr", 150 * m, "2 heures et 30 minutes"},
		{"de", 1 * h, "1 Stunde"}, {"de", 10 * m, "10 Minuten"}, {"de", 0, "0 Sekunden"},
		{"es", 1 * h, "1 hora"}, {"es", 30 * s, "30 segundos"}, {"es", 150 * m, "2 horas y 30 minutos"},
		{"ja", 30 * s, "30 秒"}, {"ja", 10 * m, "10 分"}, {"ja", 24 * h, "24 時間"}, {"ja", 150 * m, "2 時間 30 分"},
		{"ar", 1 * m, "دقيقة واحدة"}, {"ar", 2 * m, "دقيقتين"}, {"ar", 3 * m, "3 دقائق"}, {"ar", 10 * m, "10 دقائق"},
		{"ar", 11 * m, "11 دقيقة"}, {"ar", 100 * m, "100 دقيقة"}, {"ar", 103 * m, "103 دقائق"}, {"ar", 1 * h, "ساعة واحدة"},
		{"ar", 2 * h, "ساعتين"}, {"ar", 24 * h, "24 ساعة"}, {"ar", 150 * m, "ساعتين و30 دقيقة"},
		{"bg", 1 * m, "1 минута"}, {"bg", 10 * m, "10 минути"}, {"bg", 2 * h, "2 часа"}, {"bg", 150 * m, "2 часа и 30 минути"},
		{"ca", 1 * m, "1 minut"}, {"ca", 10 * m, "10 minuts"}, {"ca", 150 * m, "2 hores i 30 minuts"},
		{"cs", 1 * m, "1 minutu"}, {"cs", 2 * m, "2 minuty"}, {"cs", 5 * m, "5 minut"}, {"cs", 22 * m, "22 minut"},
		{"cs", 1 * h, "1 hodinu"}, {"cs", 150 * m, "2 hodiny a 30 minut"}, {"cs", 5 * h, "5 hodin"}, {"cs", 3 * s, "3 sekundy"},
		{"da", 1 * h, "1 time"}, {"da", 10 * m, "10 minutter"}, {"da", 150 * m, "2 timer og 30 minutter"},
		{"el", 1 * m, "1 λεπτό"}, {"el", 10 * m, "10 λεπτά"}, {"el", 150 * m, "2 ώρες και 30 λεπτά"},
		{"et", 1 * m, "1 minuti"}, {"et", 10 * m, "10 minuti"}, {"et", 150 * m, "2 tunni ja 30 minuti"},
		{"eu", 1 * m, "minutu bat"}, {"eu", 10 * m, "10 minutu"}, {"eu", 1 * h, "ordubete"}, {"eu", 119 * m, "119 minutu"},
		{"eu", 181 * m, "3 ordu eta minutu bat"}, {"eu", 0, "0 segundo"},
		{"fi", 1 * m, "1 minuutin"}, {"fi", 10 * m, "10 minuutin"}, {"fi", 150 * m, "2 tunnin ja 30 minuutin"},
		{"gl", 1 * m, "1 minuto"}, {"gl", 10 * m, "10 minutos"}, {"gl", 150 * m, "2 horas e 30 minutos"},
		{"he", 1 * m, "דקה אחת"}, {"he", 2 * m, "שתי דקות"}, {"he", 10 * m, "10 דקות"}, {"he", 20 * m, "20 דקות"},
		{"he", 1 * h, "שעה אחת"}, {"he", 150 * m, "שעתיים ועוד 30 דקות"}, {"he", 0, "0 שניות"},
		{"hr", 1 * m, "1 minutu"}, {"hr", 3 * m, "3 minute"}, {"hr", 10 * m, "10 minuta"}, {"hr", 12 * m, "12 minuta"},
		{"hr", 21 * m, "21 minutu"}, {"hr", 22 * m, "22 minute"}, {"hr", 1 * h, "1 sat"}, {"hr", 150 * m, "2 sata i 30 minuta"},
		{"hr", 24 * h, "24 sata"}, {"hr", 5 * h, "5 sati"},
		{"hu", 1 * m, "1 perc"}, {"hu", 10 * m, "10 perc"}, {"hu", 150 * m, "2 óra 30 perc"},
		{"it", 1 * h, "1 ora"}, {"it", 10 * m, "10 minuti"}, {"it", 150 * m, "2 ore e 30 minuti"},
		{"kk", 1 * m, "1 минут"}, {"kk", 10 * m, "10 минут"}, {"kk", 150 * m, "2 сағат 30 минут"},
		{"ko", 30 * s, "30초"}, {"ko", 10 * m, "10분"}, {"ko", 150 * m, "2시간 30분"},
		{"lt", 1 * m, "1 minutę"}, {"lt", 2 * m, "2 minutes"}, {"lt", 10 * m, "10 minučių"}, {"lt", 11 * m, "11 minučių"},
		{"lt", 21 * m, "21 minutę"}, {"lt", 25 * m, "25 minutes"}, {"lt", 1 * h, "1 valandą"}, {"lt", 150 * m, "2 valandas ir 30 minučių"},
		{"lv", 1 * m, "1 minūtes"}, {"lv", 2 * m, "2 minūtēm"}, {"lv", 10 * m, "10 minūtēm"}, {"lv", 11 * m, "11 minūtēm"},
		{"lv", 21 * m, "21 minūtes"}, {"lv", 1 * h, "1 stundas"}, {"lv", 150 * m, "2 stundām un 30 minūtēm"},
	} {
		if got := c.Match(test.tag).Duration(test.d); got != test.want {
			t.Errorf("%s: Duration(%v) = %q, want %q", test.tag, test.d, got, test.want)
		}
	}
}

func BenchmarkAppendDuration(b *testing.B) {
	l := open(b).Match("ar")
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = l.AppendDuration(buf[:0], 10*time.Minute)
	}
}
