// A GET with a check, for k6.
import http from 'k6/http';
import { check } from 'k6';

export default function () {
  const r = http.get(`${__ENV.TARGET}/`);
  check(r, { 'status is 200': (r) => r.status === 200 });
}
