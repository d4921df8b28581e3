/** One tab serves all tests of an engine: no choice of the visitor may be left behind. */
export const forgetVisitor = (evaluate) =>
  evaluate(() => {
    try {
      localStorage.clear();
      sessionStorage.clear();
    } catch {
      // a page that may not store anything has stored nothing
    }
  });
