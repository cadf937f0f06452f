/** The widget's languages. One is loaded, the one that the page or the visitor speaks. */

export const LANGUAGES = ['en', 'de', 'es', 'fr'];

/** @param {string} wanted a language tag (RFC 5646); one that is not here is answered in English */
export async function textsFor(wanted) {
  const language = LANGUAGES.find((one) => wanted.toLowerCase().split('-')[0] === one) ?? 'en';
  return (await import(`./texts/${language}.js`)).default;
}
