'use strict';

// Everything shown is set as text, never as markup.
function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

function schemaName(schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop().replace(/^Envelope_Vec_(.*)$/, '$1[]').replace(/^Envelope_/, '');
  if (schema.type === 'array') return `${schemaName(schema.items)}[]`;
  return [schema.type].flat().join(' or ');
}

function parameterRows(document, operation) {
  return (operation.parameters ?? []).map((given) => {
    const parameter = given.$ref ? document.components.parameters[given.$ref.split('/').pop()] : given;
    const required = parameter.required ? ', required' : '';
    return element('li', `${parameter.name} (${parameter.in}${required}) ${parameter.description ?? ''}`);
  });
}

function exampleOf(content) {
  if (content?.example === undefined) return [];
  return [element('pre', JSON.stringify(content.example, null, 2))];
}

function operationView(document, method, path, operation) {
  const summary = element('summary', undefined, element('code', method.toUpperCase()), ' ', element('code', path));
  summary.append(` ${operation.summary ?? operation.description ?? ''} `);
  if (operation['x-keelson']) {
    const mark = element('span', 'Keelson');
    mark.className = 'ours';
    summary.append(mark);
  }
  const view = element('details', undefined, summary);
  const rows = parameterRows(document, operation);
  if (rows.length > 0) view.append(element('ul', undefined, ...rows));
  const body = Object.values(operation.requestBody?.content ?? {})[0];
  if (body) view.append(element('p', `Body: ${schemaName(body.schema)}`), ...exampleOf(body));
  const answer = Object.values(operation.responses?.['200']?.content ?? {})[0];
  view.append(element('p', `Answer: ${schemaName(answer?.schema)}`), ...exampleOf(answer));
  const roles = operation['x-keelson-admitted-roles'] ?? operation['x-veeam-vspc-admitted-roles'];
  if (roles) view.append(element('p', `Admits: ${roles.join(', ')}`));
  view.dataset.text = `${method} ${path} ${operation.operationId} ${operation.tags}`.toLowerCase();
  return view;
}

function show(document_) {
  const views = [];
  for (const [path, item] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (operation.operationId) views.push(operationView(document_, method, path, operation));
    }
  }
  const schemas = Object.entries(document_.components.schemas).map(([name, schema]) => {
    const view = element('details', undefined, element('summary', name), element('pre', JSON.stringify(schema, null, 2)));
    view.dataset.text = name.toLowerCase();
    return view;
  });
  const main = document.getElementById('operations');
  main.replaceChildren(element('h2', 'Operations'), ...views, element('h2', 'Schemas'), ...schemas);
  document.getElementById('search').addEventListener('input', ({ target }) => {
    const wanted = target.value.toLowerCase();
    for (const view of [...views, ...schemas]) view.hidden = !view.dataset.text.includes(wanted);
  });
}

fetch('/api/v3/openapi.json')
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => document.getElementById('operations').replaceChildren(`Cannot load openapi.json: ${error}`));
