/** Before every test file: no test reaches beyond loopback, and none leaves an expected request unsent. */

import nock from 'nock';
import { afterEach, beforeEach, expect } from 'vitest';

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\]|::1)(:\d+)?$/;

beforeEach(() => {
  nock.disableNetConnect();
  nock.enableNetConnect(LOOPBACK);
});

afterEach(() => {
  const pending = nock.pendingMocks();
  nock.cleanAll();
  nock.abortPendingRequests();
  expect(pending, 'requests that the test expected and that were not sent').toEqual([]);
});
