// The server: requests, uploads, and its stream of events.
import { toast } from "./dom.js";

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function failure(response) {
  if (response.status === 401) return new ApiError(401, "Open the address that pgnet serve printed: it carries the token.");
  const body = await response.json().catch(() => ({}));
  const detail = typeof body.detail === "string" ? body.detail : `The server answered ${response.status}.`;
  return new ApiError(response.status, detail);
}

const OFFLINE = "The server cannot be reached. Is pgnet serve running?";

/** A response of the server; its errors are `ApiError`s with the server's sentence, status 0 if it cannot be reached. */
export async function call(method, path, body = undefined, options = {}) {
  const init = { method, ...options };
  if (body instanceof Blob) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  let response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, OFFLINE);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export async function request(method, path, body = undefined) {
  const response = await call(method, path, body);
  return response.status === 204 ? null : response.json();
}

/** As `request`, but as long as the server cannot be reached it is tried again: for what may be done twice. */
export async function insist(method, path, body) {
  for (;;) {
    try {
      return await request(method, path, body);
    } catch (error) {
      if (error.status !== 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);

/** Whether the work succeeded; a failure is told in a toast. */
export async function told(work) {
  try {
    await work();
    return true;
  } catch (error) {
    toast(error.message, { error: true });
    if (!(error instanceof ApiError)) console.error(error);
    return false;
  }
}

/** Sends a file, telling its share of 0..1 as it goes; `signal` gives up. */
export function upload(path, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open("POST", `/api${path}`);
    xhr.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    xhr.onload = async () => {
      const response = new Response(xhr.response, { status: xhr.status });
      if (response.ok) resolve(await response.json());
      else reject(await failure(response));
    };
    xhr.onerror = () => reject(new ApiError(0, OFFLINE));
    xhr.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal?.addEventListener("abort", () => xhr.abort());
    xhr.send(file);
  });
}

const TYPES = ["hello", "video", "job", "rows", "changed", "project", "deleted", "info", "reload"];

/** Opens the stream of events; `handle(type, data)` gets each. Returns a function that closes it. */
export function events(path, handle) {
  const banner = document.getElementById("banner");
  let source;
  let again;
  const open = () => {
    source = new EventSource(`/api${path}`);
    for (const type of TYPES) {
      source.addEventListener(type, (event) => {
        if (type === "hello") banner.hidden = true;
        handle(type, JSON.parse(event.data));
      });
    }
    source.onerror = () => {
      banner.textContent = "The connection to the server is lost; trying again. What the page shows as saved is saved.";
      banner.hidden = false;
      // After an answer that is no stream, a browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, 2000);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
    banner.hidden = true;
  };
}
