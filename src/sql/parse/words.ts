const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Never the bare name of a column, table or alias; quoted, or after a dot, every word is a name. */
export const reserved = words(`
  SELECT FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT ON USING JOIN INNER LEFT RIGHT FULL CROSS NATURAL OUTER
  AND OR NOT IN IS LIKE SIMILAR BETWEEN CASE WHEN THEN ELSE END AS DISTINCT ALL WITH NULL TRUE FALSE EXISTS CAST TRY_CAST INTERVAL VALUES ASC`);

/** Where a name is missing, these words were hardly meant to be one. */
export const startsClause = words('SELECT FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT ON USING JOIN WITH VALUES');

/** Reserved words that are functions when a bracket follows. */
export const functionWords = words('LEFT RIGHT');

/** Cannot be an alias without AS: what follows an item in this language, or in one that the writer may come from. */
export const afterItem = words(`
  OFFSET FETCH WINDOW EMIT FOR LATERAL TABLESAMPLE MATCH_RECOGNIZE PIVOT UNPIVOT FILTER OVER WITHIN IGNORE RESPECT MINUS QUALIFY ESCAPE
  DESC NULLS AT ISNULL NOTNULL ILIKE RLIKE REGEXP COLLATE DIV MOD XOR GLOB WITHOUT ASOF SEMI ANTI STRAIGHT_JOIN`);

/** What a misspelled word may have been meant to be. */
export const keywords: readonly string[] = [
  'SELECT', 'DISTINCT', 'FROM', 'WHERE', 'GROUP', 'HAVING', 'ORDER', 'LIMIT', 'OFFSET', 'UNION', 'INTERSECT', 'EXCEPT', 'JOIN', 'INNER', 'LEFT', 'RIGHT',
  'FULL', 'CROSS', 'USING', 'BETWEEN', 'LIKE', 'AND', 'NOT', 'WITH', 'VALUES', 'WHEN', 'THEN', 'ELSE', 'END', 'FILTER', 'OVER',
];

/** Time units as they are written after INTERVAL and in EXTRACT, FLOOR .. TO and TIMESTAMPDIFF. */
export const units = words(`
  MILLENNIUM CENTURY DECADE YEAR QUARTER MONTH WEEK DAY DOY DOW ISODOW ISOYEAR HOUR MINUTE SECOND MILLISECOND MICROSECOND NANOSECOND EPOCH`);

export const intervalUnits = words('YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND MILLISECOND');

/** Functions that are written without parentheses. */
export const bareFunctions = words('CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP');

/** What to write instead of a word or operator of another dialect. */
export const foreign: ReadonlyMap<string, string> = new Map([
  ['==', 'equality is ='], ['&&', 'write AND'], ['!', 'write NOT'], ['<=>', 'write IS NOT DISTINCT FROM'], ['^', 'write POWER(a, b)'], ['**', 'write POWER(a, b)'],
  ['~', 'write REGEXP(text, pattern)'], ['|', 'text is joined with ||, conditions with OR'], ['&', 'conditions are joined with AND'],
  ['?', 'there are no parameters in SQL'], ['$', 'there are no parameters or variables in SQL'], ['@', 'there are no variables in SQL'], [':=', 'equality is ='],
  ['{', 'variables are not replaced in SQL'], ['\\', "a quote inside a text is doubled: 'it''s'"],
  ['ILIKE', 'write UPPER(a) LIKE UPPER(b)'], ['RLIKE', 'write REGEXP(text, pattern)'], ['REGEXP', 'write REGEXP(text, pattern)'], ['GLOB', 'write LIKE'],
  ['ISNULL', 'write IS NULL'], ['NOTNULL', 'write IS NOT NULL'], ['DIV', '/ of two integers gives an integer'], ['MOD', 'write a % b'], ['XOR', 'write a <> b'],
  ['MINUS', 'write EXCEPT'], ['QUALIFY', 'compute ROW_NUMBER in a subquery and filter on it outside'], ['TOP', 'write LIMIT at the end'],
  ['ELSIF', 'write another WHEN'], ['ELSEIF', 'write another WHEN'], ['COLLATE', 'text is compared by code point'], ['AT', 'AT TIME ZONE is not supported yet'],
]);

/** How tightly operators bind: PostgreSQL's order, which node-sql-parser does not keep. */
export const PRECEDENCE = { or: 1, and: 2, not: 3, is: 4, comparison: 5, like: 6, other: 7, sum: 8, product: 9, sign: 10, postfix: 11 } as const;
