//! Prints the transcript of a simulation: `simulate SEED STEPS`. Two runs of equal arguments print equal bytes.

use std::io::Write as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let seed = numbers.next().unwrap_or(Ok(1))?;
    let steps = numbers.next().unwrap_or(Ok(200))?;
    let transcript = dtu_tests::simulation::run(seed, steps).await;
    std::io::stdout().write_all(transcript.as_bytes())?;
    Ok(())
}
