type ProgressBarProps = {
  /** 0 to 1; null while the whole is not known. */
  share: number | null;
  label: string;
  isRunning: boolean;
};

/** How much of a job is done. */
export function ProgressBar({ share, label, isRunning }: ProgressBarProps) {
  const percent = share === null ? null : Math.floor(share * 100);
  return (
    <span
      className={isRunning ? "jbar on" : "jbar"}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent !== null && { "aria-valuenow": percent })}
    >
      {share !== null && <i style={{ width: `${share * 100}%` }} />}
    </span>
  );
}
