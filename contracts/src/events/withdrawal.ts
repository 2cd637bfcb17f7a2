/**
 * A study may be withdrawn, come back, and be withdrawn again. Each withdrawal has a number, and whatever was chosen from a
 * study says how many there had been: that tells which came first, whatever the clocks of the processes say.
 */
export interface Chosen {
  /** Withdrawals of the study when it was chosen. */
  readonly withdrawals?: number | undefined;
}

export interface Withdrawal {
  /** Withdrawals of the study, this one included. Absent in events of before they were counted. */
  readonly withdrawals?: number | undefined;
  readonly at: string;
}

/** @param at when it was chosen: decides only where the withdrawal has no number. */
export const isWithdrawnSince = (chosen: Chosen, at: string, withdrawal: Withdrawal): boolean =>
  withdrawal.withdrawals === undefined ? at <= withdrawal.at : (chosen.withdrawals ?? 0) < withdrawal.withdrawals;

export const isLaterWithdrawal = (one: Withdrawal, other: Withdrawal): boolean =>
  (one.withdrawals ?? 0) > (other.withdrawals ?? 0);
