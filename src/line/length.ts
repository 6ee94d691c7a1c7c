/** The most bytes of a line: rsyslog cuts at 8096 by default (its parameter maxMessageSize), classic syslogds at 1024. */
export const MAX_LINE = 8192;
