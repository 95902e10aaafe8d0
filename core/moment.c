#include "core/moment.h"

#include <stdio.h>

#define DAY_SECONDS INT64_C(86400)
#define FIRST_DAY INT64_C(-719528) /* 0000-01-01 */
#define LAST_DAY INT64_C(2932896)  /* 9999-12-31 */

/* Days since 1970-01-01 of the proleptic Gregorian calendar, and back; years begin in March, so that the leap day
 * is the last of a year, and 400 years are 146097 days (Howard Hinnant, chrono-compatible date algorithms). */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
  if (month <= 2)
    year--;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date {
  int year, month, day;
};

static struct date date_of(int64_t days) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t march = (5 * of_year + 2) / 153;
  int64_t month = march < 10 ? march + 3 : march - 9;
  return (struct date){
      .year = (int)(year + era * 400 + (month <= 2)),
      .month = (int)month,
      .day = (int)(of_year - (153 * march + 2) / 5 + 1),
  };
}

static int days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (leap && month == 2);
}

/* Reads along a text; once something is not as it must be, 'wrong' stays. */
struct reader {
  struct wm_text text;
  size_t at;
  bool wrong;
};

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static char peek(const struct reader *reader) {
  return reader->at < reader->text.size ? reader->text.bytes[reader->at] : '\0';
}

static int read_number(struct reader *reader, int digits, int from, int to) {
  int number = 0;
  for (int i = 0; i < digits; i++) {
    if (!is_digit(peek(reader))) {
      reader->wrong = true;
      return from;
    }
    number = number * 10 + (reader->text.bytes[reader->at++] - '0');
  }
  if (number >= from && number <= to)
    return number;
  reader->wrong = true;
  return from;
}

static void read_one_of(struct reader *reader, char a, char b) {
  char c = peek(reader);
  if (c != '\0' && (c == a || c == b))
    reader->at++;
  else
    reader->wrong = true;
}

static int64_t read_fraction(struct reader *reader) {
  if (peek(reader) != '.')
    return 0;
  reader->at++;
  reader->wrong |= !is_digit(peek(reader));
  int64_t us = 0;
  for (int64_t unit = WM_SECOND_US / 10; is_digit(peek(reader)); unit /= 10)
    us += unit * (reader->text.bytes[reader->at++] - '0');
  return us;
}

/* Seconds east of Greenwich. */
static int64_t read_zone(struct reader *reader) {
  char sign = peek(reader);
  if (sign != '+' && sign != '-') {
    read_one_of(reader, 'Z', 'z');
    return 0;
  }
  reader->at++;
  int hours = read_number(reader, 2, 0, 23);
  read_one_of(reader, ':', ':');
  int minutes = read_number(reader, 2, 0, 59);
  return (sign == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * INT64_C(60));
}

bool wm_moment_parse(struct wm_text text, int64_t *ret_us) {
  struct reader reader = {.text = text};
  int year = read_number(&reader, 4, 0, 9999);
  read_one_of(&reader, '-', '-');
  int month = read_number(&reader, 2, 1, 12);
  read_one_of(&reader, '-', '-');
  int day = read_number(&reader, 2, 1, days_in_month(year, month));
  read_one_of(&reader, 'T', 't');
  int hour = read_number(&reader, 2, 0, 23);
  read_one_of(&reader, ':', ':');
  int minute = read_number(&reader, 2, 0, 59);
  read_one_of(&reader, ':', ':');
  int second = read_number(&reader, 2, 0, 60); /* a leap second is the moment after it */
  int64_t fraction = read_fraction(&reader);
  int64_t zone = read_zone(&reader);
  if (reader.wrong || reader.at != text.size)
    return false;
  int64_t seconds = days_of(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - zone;
  *ret_us = seconds * WM_SECOND_US + fraction;
  return true;
}

/* 'digits' decimal digits of a number that is not negative, and what stands behind them; returns the place after it. */
static char *put(char *at, int number, int digits, char behind) {
  for (int i = digits; i-- > 0; number /= 10)
    at[i] = (char)('0' + number % 10);
  at[digits] = behind;
  return at + digits + 1;
}

size_t wm_moment_format(int64_t us, char ret[static WM_MOMENT_SIZE]) {
  const int64_t first = FIRST_DAY * DAY_SECONDS * WM_SECOND_US;
  const int64_t last = (LAST_DAY + 1) * DAY_SECONDS * WM_SECOND_US - 1;
  us = us < first ? first : us > last ? last : us;
  int64_t since = us - first; /* never negative: the divisions below round down */
  struct date date = date_of(since / (DAY_SECONDS * WM_SECOND_US) + FIRST_DAY);
  int of_day = (int)(since / WM_SECOND_US % DAY_SECONDS);
  int fraction = (int)(since % WM_SECOND_US);
  char *at = put(ret, date.year, 4, '-');
  at = put(at, date.month, 2, '-');
  at = put(at, date.day, 2, 'T');
  at = put(at, of_day / 3600, 2, ':');
  at = put(at, of_day / 60 % 60, 2, ':');
  at = put(at, of_day % 60, 2, '.');
  if (fraction > 0)
    at = put(at, fraction, 6, '\0');
  at--;
  while (fraction > 0 && at[-1] == '0')
    at--;
  *at++ = 'Z';
  *at = '\0';
  return (size_t)(at - ret);
}

bool wm_duration_parse(struct wm_text text, int64_t *ret_us) {
  static const struct {
    char letter;
    int64_t seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_SECONDS}, {'w', 7 * DAY_SECONDS}};
  const int64_t most = 36500 * DAY_SECONDS;
  if (text.size < 2)
    return false;
  int64_t number = 0;
  for (size_t i = 0; i < text.size - 1; i++) {
    if (!is_digit(text.bytes[i]))
      return false;
    number = number * 10 + (text.bytes[i] - '0');
    if (number > most)
      return false;
  }
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
    if (units[i].letter != text.bytes[text.size - 1])
      continue;
    if (number > most / units[i].seconds)
      return false;
    *ret_us = number * units[i].seconds * WM_SECOND_US;
    return true;
  }
  return false;
}
