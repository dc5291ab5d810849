import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** A sea green that is calm on both grounds; filled controls use the eighth shade (4.5:1 with white). */
const keel: MantineColorsTuple = [
  '#effaf8',
  '#d8f1ed',
  '#b0e3db',
  '#84d3c8',
  '#5dc1b4',
  '#3bab9d',
  '#239488',
  '#157f75',
  '#0f6b63',
  '#0a544e',
];

/** Cooler and a little lighter than the library's own, so that borders need less contrast. */
const dark: MantineColorsTuple = [
  '#d5dae1',
  '#b4bcc8',
  '#8d97a7',
  '#5f6a7c',
  '#3d4757',
  '#2c3542',
  '#222a35',
  '#1a212b',
  '#12171f',
  '#0c1016',
];

export const theme = createTheme({
  colors: { keel, dark },
  primaryColor: 'keel',
  primaryShade: { light: 8, dark: 7 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
});

/** The library's dimmed text has 3.3:1 on white; small print must still be readable. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#5f6975' },
  dark: { '--mantine-color-dimmed': '#97a1b0' },
});
