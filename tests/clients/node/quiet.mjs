// A log that says nothing, for Slack's libraries: what they would say is wanted here, or none of Slack's business.

export const logger = {
  getLevel: () => 'error',
  setLevel() {},
  setName() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};
