import { PlatformApp } from './platform-app.ts';

new PlatformApp().synth();
