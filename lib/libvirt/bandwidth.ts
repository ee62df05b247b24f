// Bandwidth of an interface of a guest, and of a port of a network.

/** Averages, peaks and floor in kB/s (1000 bytes per second), bursts in KiB; 0: no limit. */
export interface BandwidthParameters {
  'inbound.average'?: number;
  'inbound.peak'?: number;
  'inbound.burst'?: number;
  'inbound.floor'?: number;
  'outbound.average'?: number;
  'outbound.peak'?: number;
  'outbound.burst'?: number;
}
